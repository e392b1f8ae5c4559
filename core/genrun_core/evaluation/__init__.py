"""How well a run or a model file predicts texts."""
