"""Built-in parts of constraints: conditions that a whole text must meet, one a file."""
