"""Smaller numbers for the weights, and the gate that measures what they cost."""
