"""Brings up TensorFlow and Keras: checks that they are installed, keeps them quiet and deterministic."""

from __future__ import annotations

import importlib.util
import os
import warnings

from genrun.errors import MissingExtraError, TrainingError

__all__ = ["prepare_backend", "require_training", "seed_everything"]


def require_training(what: str) -> None:
    """Raise MissingExtraError with the pip line unless the ``train`` extra is installed."""
    for module in ("tensorflow", "keras", "pandas", "tomli_w"):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(f"{what} needs {module}", "train")


def prepare_backend(what: str = "training") -> None:
    """Make TensorFlow importable without noise, with Keras on top of it. Call before importing either."""
    require_training(what)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations between the versions of TensorFlow's own dependencies
        import keras
        import tensorflow as tf
    if keras.backend.backend() != "tensorflow":
        raise TrainingError(f"Keras runs on {keras.backend.backend()!r}; genrun needs KERAS_BACKEND=tensorflow")
    tf.get_logger().setLevel("ERROR")


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow and make TensorFlow's operations deterministic (process-wide)."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed % 2**32)
    tf.config.experimental.enable_op_determinism()
