"""The checkpoint: weights, optimizer, random state and position in one file, for going on as if nothing happened."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from genrun.errors import RunFolderError
from genrun_core.atomic import write_with
from genrun_core.fitting import Fitting

__all__ = ["restore_checkpoint", "save_checkpoint"]


def save_checkpoint(path: Path, fitting: Fitting, state: Mapping[str, Any]) -> None:
    """Write everything that training needs to continue; ``state`` is the caller's own, JSON-ready."""
    position = {"epoch": fitting.epoch, "history": fitting.history, "state": dict(state)}
    arrays: dict[str, Any] = {f"network/{i}": np.asarray(v) for i, v in enumerate(fitting.network.variables)}
    arrays |= {f"optimizer/{i}": np.asarray(v) for i, v in enumerate(fitting.optimizer.variables)}
    arrays["position"] = np.frombuffer(json.dumps(position).encode(), np.uint8)
    path.parent.mkdir(exist_ok=True)
    write_with(path, lambda beside: np.savez(beside, **arrays))


def restore_checkpoint(path: Path, fitting: Fitting) -> dict[str, Any]:
    """Set ``fitting`` to the checkpoint at ``path`` and return the caller's state; raises RunFolderError."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            _assign(fitting.network.variables, arrays, "network")
            _assign(fitting.optimizer.variables, arrays, "optimizer")
            position = json.loads(arrays["position"].tobytes())
    except (OSError, EOFError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        reason = str(error) if isinstance(error, _WrongShape) else "it is damaged; delete it to begin again"
        raise RunFolderError(f"{path} cannot be continued from: {reason}") from error
    fitting.epoch = position["epoch"]
    fitting.history = position["history"]
    state: dict[str, Any] = position["state"]
    return state


class _WrongShape(ValueError):
    """The arrays of a checkpoint are not those of the network."""


def _assign(variables: Sequence[keras.Variable], arrays: Mapping[str, Any], prefix: str) -> None:
    if sum(name.startswith(f"{prefix}/") for name in arrays) != len(variables):
        raise _WrongShape(f"its {prefix} is of another shape than the recipe's")
    for i, variable in enumerate(variables):
        variable.assign(arrays[f"{prefix}/{i}"])
