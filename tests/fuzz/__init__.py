"""A campaign of damaged and malicious model files: python -m fuzz.campaign KIND COUNT, in the folder tests."""
