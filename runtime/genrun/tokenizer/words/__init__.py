"""Tokens that are words."""
