"""Searches: several texts of one prompt that are chosen together, by beams, without replacement or evenly spread."""
