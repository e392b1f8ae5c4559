"""The loop and its compiled steps."""
