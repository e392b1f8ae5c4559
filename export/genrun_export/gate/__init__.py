"""The gate: what a model file computes must be what Keras computes."""
