"""Suggests the next words of a text while it is typed."""
