"""Networks as Keras loads them by itself."""

from __future__ import annotations

from pathlib import Path

import keras

from genrun_core.network import layers, lstm  # noqa: F401  # register the layers that a file may name


def load_network(path: Path) -> keras.Model:
    """Return the network in a file, by what the file says about its layers."""
    return keras.saving.load_model(path, compile=False)
