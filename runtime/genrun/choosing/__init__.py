"""From logits to the next token: by a decoder, or by the graph and NumPy for the built-in ones."""
