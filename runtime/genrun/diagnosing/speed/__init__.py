"""Measures how fast a model file generates, and how the time is spent."""
