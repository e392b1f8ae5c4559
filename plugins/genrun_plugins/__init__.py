"""The built-in readers and decoders; genrun finds each through its entry point."""
