"""The built-in decoders, one a file."""
