"""The checkpoint: weights, optimizer, random state and position in one file, for going on as if nothing happened."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from genrun.errors import RunFolderError
from genrun_core.atomic import write_with
from genrun_core.fitting import Fitting

__all__ = ["restore_checkpoint", "save_checkpoint"]


def save_checkpoint(path: Path, fitting: Fitting, state: Mapping[str, Any]) -> None:
    """Write everything that training needs to continue; ``state`` is the caller's own, JSON-ready."""
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
    arrays["position"] = np.frombuffer(json.dumps(position).encode(), np.uint8)
    path.parent.mkdir(exist_ok=True)
    write_with(path, lambda beside: np.savez(beside, **arrays))


def restore_checkpoint(path: Path, fitting: Fitting) -> dict[str, Any]:
    """Set ``fitting`` to the checkpoint at ``path`` and return the caller's state; raises RunFolderError."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            for prefix, variables in _variables(fitting).items():
                _assign(variables, arrays, prefix)
            count = sum(name.startswith("states/") for name in arrays)
            fitting.states = [tf.constant(arrays[f"states/{i}"]) for i in range(count)]
            position = json.loads(arrays["position"].tobytes())
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        reason = str(error) if isinstance(error, _WrongShape) else "it is damaged; delete it to begin again"
        raise RunFolderError(f"{path} cannot be continued from: {reason}") from error
    fitting.epoch = position["epoch"]
    fitting.step = position["step"]
    fitting.seconds = position["seconds"]
    fitting.history = position["history"]
    state: dict[str, Any] = position["state"]
    return state


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
