"""The texts of a request: from a place in the queue to the finished text."""
