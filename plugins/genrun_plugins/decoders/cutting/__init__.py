"""Stages that leave out the unlikely candidates, or the most likely ones."""
