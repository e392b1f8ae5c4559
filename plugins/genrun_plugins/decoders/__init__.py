"""The built-in decoders, one in each file."""
