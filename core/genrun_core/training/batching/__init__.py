"""Batches of token ids, and what an epoch changes in them."""
