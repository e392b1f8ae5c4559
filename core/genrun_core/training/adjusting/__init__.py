"""Logits set right by counts of documents, before and after the training."""
