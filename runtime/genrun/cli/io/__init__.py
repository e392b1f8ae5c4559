"""Input, output, progress and signals of the commands."""
