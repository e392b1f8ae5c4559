"""The run folder: its files and how they are written, their digests, and the lock on it."""
