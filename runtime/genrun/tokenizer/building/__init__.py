"""Makes a tokenizer from documents."""
