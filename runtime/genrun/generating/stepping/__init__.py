"""One decoding step of an open model: states in, logits and states out."""
