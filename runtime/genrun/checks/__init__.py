"""What every room uses to check what it is given, and to word what is wrong with it."""
