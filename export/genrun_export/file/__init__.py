"""Model files as bytes, graphs in them, and sessions over them."""
