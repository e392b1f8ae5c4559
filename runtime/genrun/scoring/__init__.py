"""Scores texts by their probability, and verifies that a model still generates what it did at export."""
