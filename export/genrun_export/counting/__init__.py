"""Counting in the model file: an n-gram model as a decoding step, or mixed into a network's."""
