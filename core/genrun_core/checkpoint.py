"""The checkpoint: weights, optimizer, random state and position in one file, for going on as if nothing happened."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun.errors import RunFolderError
from genrun_core.atomic import write_with
from genrun_core.fitting import Fitting

__all__ = ["Restored", "needs_network", "restore_checkpoint", "save_checkpoint"]


class Restored(NamedTuple):
    """What a checkpoint has for the caller: its own ``state``, and the best weights if they were in no file yet."""

    state: dict[str, Any]
    best_weights: list[NDArray[Any]]


def save_checkpoint(
    path: Path, fitting: Fitting, state: Mapping[str, Any], best_weights: Sequence[NDArray[Any]] = ()
) -> None:
    """Write everything that training needs to continue; ``state`` is the caller's own, JSON-ready.

    ``best_weights`` are those that the caller is about to write elsewhere.
    """
    position = {
        "epoch": fitting.epoch,
        "step": fitting.step,
        "seconds": fitting.seconds,
        "history": fitting.history,
        "state": dict(state),
    }
    arrays: dict[str, Any] = {}
    for prefix, variables in _variables(fitting).items():
        arrays |= {f"{prefix}/{i}": np.asarray(variable) for i, variable in enumerate(variables)}
    arrays |= {f"states/{i}": np.asarray(value) for i, value in enumerate(fitting.states)}
    arrays |= {f"best/{i}": value for i, value in enumerate(best_weights)}
    arrays["position"] = np.frombuffer(json.dumps(position).encode(), np.uint8)
    path.parent.mkdir(exist_ok=True)
    write_with(path, lambda beside: np.savez(beside, **arrays))


def restore_checkpoint(path: Path, fitting: Fitting) -> Restored:
    """Set ``fitting`` to the checkpoint at ``path`` and return what it has for the caller; raises RunFolderError."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for prefix, variables in _variables(fitting).items():
                _assign(variables, arrays, prefix)
            count = sum(name.startswith("states/") for name in arrays)
            fitting.states = [tf.constant(arrays[f"states/{i}"]) for i in range(count)]
            best = [arrays[f"best/{i}"] for i in range(sum(name.startswith("best/") for name in arrays))]
            position = json.loads(arrays["position"].tobytes())
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        reason = str(error) if isinstance(error, _WrongShape) else "it is damaged; delete it to begin again"
        raise RunFolderError(f"{path} cannot be continued from: {reason}") from error
    fitting.epoch = position["epoch"]
    fitting.step = position["step"]
    fitting.seconds = position["seconds"]
    fitting.history = position["history"]
    return Restored(position["state"], best)


def needs_network(path: Path) -> bool:
    """Return whether the best network that a checkpoint speaks of is elsewhere; a damaged one says yes."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            epochs = json.loads(arrays["position"].tobytes())["epoch"]
            return bool(epochs) and "best/0" not in arrays
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile):
        return True


class _WrongShape(ValueError):
    """The arrays of a checkpoint are not those of the network."""


def _variables(fitting: Fitting) -> dict[str, Sequence[Any]]:
    """Return all that changes from step to step: weights and the state of dropout, moments, sums of the metrics."""
    return {
        "network": fitting.network.variables,
        "optimizer": fitting.steps.optimizer.variables,
        "meter": [fitting.steps.meter.sums],
    }


def _assign(variables: Sequence[keras.Variable | tf.Variable], arrays: Mapping[str, Any], prefix: str) -> None:
    if sum(name.startswith(f"{prefix}/") for name in arrays) != len(variables):
        raise _WrongShape(f"its {prefix} is of another shape than the recipe's")
    for i, variable in enumerate(variables):
        variable.assign(arrays[f"{prefix}/{i}"])
