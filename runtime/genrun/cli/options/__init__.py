"""Options that several commands share, or that belong together: each group is one parameter of a command."""
