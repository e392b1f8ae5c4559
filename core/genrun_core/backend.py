"""Brings up TensorFlow and Keras: checks that they are installed, keeps them quiet and deterministic."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from genrun.errors import MissingExtraError, TrainingError

if TYPE_CHECKING:
    import tensorflow as tf

__all__ = [
    "device_name",
    "memory_errors",
    "prepare_backend",
    "require_memory",
    "require_training",
    "seed_everything",
    "spare_memory",
]

# What Keras imports wherever it is installed, for data frames, matrices and estimators that are given to it.
_FOR_OTHER_DATA = ("sklearn", "pandas", "matplotlib", "scipy")

_sparing = False


def require_training(
    what: str, modules: Sequence[str] = ("tensorflow", "keras", "pandas", "tomli_w", "matplotlib")
) -> None:
    """Raise MissingExtraError with the pip line unless these ``modules`` of the ``train`` extra are installed."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(f"{what} needs {module}", "train")


def spare_memory() -> None:
    """Have Keras imported without scikit-learn, pandas, matplotlib, SciPy: 160 MiB less, in two thirds of the time.

    For commands, whose process is their own: Keras then takes no data frames. The four can be imported later.
    """
    global _sparing
    _sparing = True


def prepare_backend(what: str = "training") -> None:
    """Make TensorFlow importable without noise, with Keras on top of it. Call before importing either."""
    require_training(what)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        raise TrainingError(f"the environment sets KERAS_BACKEND={backend}; genrun trains with tensorflow")
    with warnings.catch_warnings(), _muted_standard_error(), _hidden(_FOR_OTHER_DATA if _sparing else ()):
        warnings.simplefilter("ignore")  # deprecations between the versions of TensorFlow's own dependencies
        import keras
        import tensorflow as tf

        tf.config.list_physical_devices()  # looks for GPUs now, while what it prints is muted
    # TensorFloat-32 keeps ten bits of a product: too few for a model file to be held against.
    tf.config.experimental.enable_tensor_float_32_execution(False)
    if keras.backend.backend() != "tensorflow":
        raise TrainingError(f"Keras runs on {keras.backend.backend()!r}; genrun needs KERAS_BACKEND=tensorflow")
    tf.get_logger().setLevel("ERROR")


@contextlib.contextmanager
def _hidden(names: Sequence[str]) -> Iterator[None]:
    """Have the modules ``names`` look as if they were not installed, unless they are imported already."""
    hidden: dict[str, Any] = {name: None for name in names if name not in sys.modules}
    sys.modules.update(hidden)
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextlib.contextmanager
def memory_errors() -> Iterator[None]:
    """Turn TensorFlow's page-long report of exhausted memory into one line."""
    import tensorflow as tf

    try:
        yield
    except (MemoryError, tf.errors.ResourceExhaustedError) as error:
        raise TrainingError(
            "there is not enough memory for this network and batch: try a smaller hidden_size, batch_size, "
            "sequence_length or vocabulary_limit"
        ) from error


def require_memory(parameters: int) -> None:
    """Raise TrainingError for a network that this machine could not train: weights, gradients, two moments each."""
    if not hasattr(os, "sysconf"):
        return
    needed, there = 16 * parameters, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > there:
        raise TrainingError(
            f"a network of {parameters:,} parameters needs about {needed / 2**30:,.0f} GiB to train, and "
            f"this machine has {there / 2**30:,.0f}: try a smaller hidden_size, embedding_size or vocabulary_limit"
        )


def device_name(strategy: tf.distribute.Strategy) -> str:
    """Return what training runs on, in words."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    names = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus]
    replicas: int = strategy.num_replicas_in_sync
    many = f", {replicas} replicas" if replicas > 1 else ""
    return (", ".join(names) or f"CPU ({os.cpu_count()} cores)") + many


@contextlib.contextmanager
def _muted_standard_error() -> Iterator[None]:
    """Hold back what native code prints while TensorFlow starts; show it after all if the start fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        kept = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow and make TensorFlow's operations deterministic (process-wide)."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed % 2**32)
    tf.config.experimental.enable_op_determinism()
