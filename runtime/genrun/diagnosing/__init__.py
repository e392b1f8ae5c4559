"""Finds problems of an installation or a plugin; code that may crash runs in other processes."""
