"""What commands read, print, and answer to."""
