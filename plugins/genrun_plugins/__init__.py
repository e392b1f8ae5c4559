"""The readers and decoders that come with genrun; each is found through its entry point."""
