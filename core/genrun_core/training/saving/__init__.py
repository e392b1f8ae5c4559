"""What is kept while a training runs, so that it can be stopped at any moment."""
