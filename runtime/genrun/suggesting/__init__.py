"""Suggests the next words of a text while it is typed."""

__all__ = ["KEPT_STATES"]

KEPT_STATES = 256  # of as many tokens of what is typed, unless a caller asks for another number
