"""How fast a model file generates, and where the time goes."""
