"""From logits to the next token: chosen by the decoder, or by the model file's graph where that is faster."""
