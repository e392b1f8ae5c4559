"""The checkpoint: weights, optimizer, random state and position in one file, for going on as if nothing happened."""

from __future__ import annotations

import contextlib
import json
import math
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun.errors import RunFolderError
from genrun_core.network.architecture import as_array
from genrun_core.runs.atomic import replacing
from genrun_core.runs.digests import check_archive, seal
from genrun_core.runs.run_files import require_file
from genrun_core.training.stepping.training_loop import Fitting

__all__ = [
    "Checkpoint",
    "Restored",
    "Weights",
    "drop_optimizer",
    "finished_epochs",
    "needs_network",
    "restore_checkpoint",
]

_OPTIMIZER = "optimizer"
_BEST = {"epoch": int, "value": float, "sampled": bool}
_ROW = ("loss", "tokens_per_second", "seconds")  # of every epoch, at least
_DAMAGES = (
    *(OSError, EOFError, LookupError, TypeError, ValueError, RecursionError, MemoryError),
    *(RuntimeError, zipfile.BadZipFile, zlib.error, tf.errors.OpError),
)

Weights: TypeAlias = NDArray[Any] | keras.Variable


class Restored(NamedTuple):
    """What a checkpoint has for the caller: its own ``state``, and the best weights if they were in no file yet.

    ``optimizer``: whether it has the state of the optimizer, which begins again otherwise.
    """

    state: dict[str, Any]
    best_weights: list[NDArray[Any]]
    optimizer: bool = True


class Checkpoint:
    """Everything that training needs to continue; ``state`` is the caller's own.

    ``state`` is JSON-ready, with what is ``best``, an epoch, and the ``corpus``, a fingerprint. ``best_weights`` are
    those that the caller is about to write to another file. ``kept``: the checkpoint is written after further steps,
    so it has copies of all weights; otherwise it has none, and must be written before the next step.
    """

    def __init__(
        self,
        fitting: Fitting,
        state: Mapping[str, Any],
        best_weights: Sequence[Weights] = (),
        *,
        kept: bool = False,
    ) -> None:
        self.history = list(fitting.history)
        self.state = json.loads(json.dumps(state))
        self.best_weights = best_weights
        self._position = {"epoch": fitting.epoch, "step": fitting.step, "seconds": fitting.seconds}
        everything = {**_variables(fitting), "states": list(fitting.states)}
        self._values: dict[str, Any] = {}
        for prefix, values in everything.items():
            self._values |= {
                f"{prefix}/{i}": as_array(value).copy() if kept else value for i, value in enumerate(values)
            }

    def write(self, path: Path) -> None:
        """Write the checkpoint, whole or not at all."""
        position = json.dumps({**self._position, "history": self.history, "state": self.state})
        values = self._values | {f"best/{i}": value for i, value in enumerate(self.best_weights)}
        values["position"] = np.frombuffer(position.encode(), np.uint8)
        path.parent.mkdir(exist_ok=True)
        with replacing(path) as beside:
            _write_arrays(beside, values)
            seal(beside)


def restore_checkpoint(path: Path, fitting: Fitting, corpus: str) -> Restored:
    """Set ``fitting`` to the checkpoint at ``path`` and return what it has for the caller.

    Raises RunFolderError if the file is damaged, or was made with a corpus of another fingerprint.
    """
    try:
        with _opened(path) as arrays:
            position = _checked(json.loads(arrays["position"].tobytes()), fitting)
            if position["state"].get("corpus", corpus) != corpus:
                raise _OtherError("it was made with another corpus; delete it to begin again")
            has_optimizer = bool(_numbered(arrays, _OPTIMIZER))
            for prefix, variables in _variables(fitting).items():
                if prefix != _OPTIMIZER or has_optimizer:
                    _assign(variables, arrays, prefix)
            states, rows = _numbered(arrays, "states"), len(fitting.training)
            wanted = [((rows, *state.shape), state.dtype) for state in fitting.steps.body.states]
            if states and [(array.shape, array.dtype.name) for array in states] != wanted:
                raise _OtherError("its states are of another shape than the recipe's")
            fitting.states = [tf.constant(array) for array in states]
            best = _numbered(arrays, "best")
            shapes = [weight.shape for weight in fitting.network.get_weights()]
            if best and [array.shape for array in best] != shapes:
                raise _OtherError("its best weights are of another shape than the recipe's")
    except RunFolderError:
        raise
    except _DAMAGES as error:
        reason = str(error) if isinstance(error, _OtherError) else "it is damaged; delete it to begin again"
        raise RunFolderError(f"{path} cannot be continued from: {reason}") from error
    fitting.epoch = position["epoch"]
    fitting.step = position["step"]
    fitting.seconds = position["seconds"]
    fitting.history = position["history"]
    return Restored(position["state"], best, has_optimizer)


def drop_optimizer(path: Path) -> None:
    """Write a checkpoint again without the state of its optimizer, if it has that; raises RunFolderError for damage.

    Of three numbers for each weight, one is left. More epochs then begin with a new optimizer.
    """
    try:
        with _opened(path) as arrays:
            kept = {name: arrays[name] for name in arrays if not name.startswith(f"{_OPTIMIZER}/")}
            if len(kept) == len(list(arrays)):
                return
    except (FileNotFoundError, NotADirectoryError):  # an n-gram model has none
        return
    except RunFolderError:
        raise
    except _DAMAGES as error:
        raise RunFolderError(f"{path} cannot be made smaller: it is damaged") from error
    with replacing(path) as beside:
        np.savez(beside, **kept)
        seal(beside)


def needs_network(path: Path) -> bool:
    """Return whether the best network of a checkpoint is in another file; a damaged one says yes."""
    try:
        with _opened(path) as arrays:
            epochs = json.loads(arrays["position"].tobytes())["epoch"]
            return bool(epochs) and "best/0" not in arrays
    except (RunFolderError, *_DAMAGES):
        return True


def finished_epochs(path: Path) -> int:
    """Return how many epochs are behind a checkpoint, 0 if there is none; raises RunFolderError if it is damaged."""
    try:
        with _opened(path) as arrays:
            return int(json.loads(arrays["position"].tobytes())["epoch"])
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except RunFolderError:
        raise
    except _DAMAGES as error:
        raise RunFolderError(f"{path} cannot be continued from: it is damaged; delete it to begin again") from error


class _OtherError(ValueError):
    """The checkpoint is of another training."""


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Mapping[str, Any]]:
    require_file(path)
    check_archive(path)
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:  # a damaged one is closed as well
        yield arrays


def _checked(position: Any, fitting: Fitting) -> dict[str, Any]:
    """Return the position in a checkpoint; raises ValueError or TypeError if no training stands there."""
    epoch, step, history, state = (position[name] for name in ("epoch", "step", "history", "state"))
    best = state["best"]
    kinds = {"epoch": int, "step": int, "seconds": float, "history": list, "state": dict}
    if not all(_is(position[name], kind) for name, kind in kinds.items()):
        raise TypeError("position")
    if not all(_is(best[name], kind) for name, kind in _BEST.items()) or not 0 <= best["epoch"] <= epoch:
        raise TypeError("best")
    if epoch and not (best["epoch"] and isinstance(best["weights"], str)):
        raise TypeError("best")
    if len(history) != epoch or not 0 <= step <= fitting.training.steps(epoch):
        raise ValueError("step")
    for row in history:
        if (
            not isinstance(row, dict)
            or not all(_is(value, float) for value in row.values())
            or {*_ROW, fitting.monitored} - set(row)
        ):
            raise ValueError("history")
    return dict(position)


def _is(value: object, kind: type[object]) -> bool:
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value)
    return type(value) is kind


def _variables(fitting: Fitting) -> dict[str, Sequence[Any]]:
    """Return all that changes from step to step: weights and the state of dropout, moments, sums of the metrics."""
    return {
        "network": fitting.network.variables,
        _OPTIMIZER: fitting.steps.optimizer.variables,
        "meter": [fitting.steps.meter.sums],
    }


def _write_arrays(path: Path, values: Mapping[str, Any]) -> None:
    """Write what ``numpy.savez`` writes, with one array at a time in memory."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in values.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                array = np.asarray(as_array(value), order="C")
                np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
                file.write(array.reshape(-1).view(np.uint8).data)  # NumPy's write_array copies 16 MiB at a time


def _numbered(arrays: Mapping[str, Any], prefix: str) -> list[NDArray[Any]]:
    return [arrays[f"{prefix}/{i}"] for i in range(sum(name.startswith(f"{prefix}/") for name in arrays))]


def _assign(variables: Sequence[keras.Variable | tf.Variable], arrays: Mapping[str, Any], prefix: str) -> None:
    found = _numbered(arrays, prefix)
    if [array.shape for array in found] != [tuple(variable.shape) for variable in variables]:
        raise _OtherError(f"its {prefix} is of another shape than the recipe's")
    for variable, array in zip(variables, found, strict=True):
        variable.assign(array)
