"""The graph of a decoding step: made from Keras, extended, rewritten."""
