"""Checks of arguments and of strangers' data, and safe short texts for messages; used by every room."""
