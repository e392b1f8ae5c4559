"""The Keras networks, their layers and their parts."""
