"""The next words of a text while it is typed."""
