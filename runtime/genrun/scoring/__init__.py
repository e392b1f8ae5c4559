"""How likely texts are, and whether a model still says what it said at its export."""
