"""Tokens that are parts of words: byte pair encoding."""
