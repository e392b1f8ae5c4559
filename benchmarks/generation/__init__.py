"""How fast genrun generates, beside PyTorch, the tutorials' loop and the bare model: see benchmarks/README.md."""
