"""From token shards to trained weights: the loop and everything around it."""
