"""From prompts to texts: requests, rows, batches, threads, and the text as it grows."""
