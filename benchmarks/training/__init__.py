"""What training promises in figures, each measured beside its yardstick: see benchmarks/README.md."""
