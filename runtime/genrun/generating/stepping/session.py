"""One decoding step: states in, logits and states out, checked against the format of the model file."""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ModelFileError, one_line
from genrun.loading.device import open_session, reason
from genrun.loading.opening import FileContent

__all__ = ["NOT_NUMBERS", "StateSpec", "States", "StepSession", "Stopped"]

NOT_NUMBERS = "the model's logits are not numbers: the file is damaged, or its training went wrong"

_DTYPES: dict[str, np.dtype[Any]] = {
    "tensor(float)": np.dtype(np.float32),
    "tensor(float16)": np.dtype(np.float16),
    "tensor(int64)": np.dtype(np.int64),
    "tensor(int32)": np.dtype(np.int32),
}

# The inputs and outputs of a step that also chooses, beside those of every step; the inputs have defaults.
_CHOOSING_INPUTS = {"draw": "tensor(double)", "temperature": "tensor(double)", "k": "tensor(int64)"}
_NORMALIZING_INPUTS = {"normalize": "tensor(bool)"}
_CHOOSING_OUTPUTS = {"chosen": "tensor(int64)", "chosen_log_probability": "tensor(float)"}

States = list[NDArray[Any]]


class StateSpec(NamedTuple):
    """A state that the step carries: its input name, dtype, and shape without the batch dimension."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


class Stopped(Exception):
    """Raised by a step after its stop event is set; the caller that set it catches it, so users never see it."""


class StepSession:
    """An open model ``file``. Holds no generation state, so threads may share it.

    ``device``, ``threads`` and ``trust`` as in :func:`genrun.load`; afterwards ``device`` is the one really used,
    ``providers`` are all that are in use, ``device_reason`` says why, and ``fell_back`` whether the CPU stands in for
    a GPU. Raises ModelFileError for a file that is no model, DeviceError for a device that cannot be used,
    OptionError for what is no device, MissingExtraError without onnxruntime. ``parallel_steps`` is the number of
    steps that are best run at once. After :meth:`bind`, ``vocabulary`` is the number of tokens, ``chooses`` whether
    the graph can also choose, and ``normalizes`` whether it can sum up the probabilities for a caller that chooses.
    """

    def __init__(
        self,
        file: FileContent,
        *,
        device: str | Sequence[str] = "auto",
        threads: int | None = None,
        trust: str = "nothing",
    ) -> None:
        self.path, self.size = file.path, file.size
        with file.checked(trust):
            opened = open_session(file.path, device, threads, file.given)
        self.device, self.device_reason, self.fell_back = opened.device, opened.reason, opened.fell_back
        self.providers = opened.providers
        self.parallel_steps = opened.lanes
        self.onnx = opened.session
        self._single_threaded = opened.narrow or opened.session
        self._stop: threading.Event | None = None

    def stoppable(self, stop: threading.Event | None) -> StepSession:
        """Return a view of this session whose steps raise Stopped once ``stop`` is set, in whichever thread.

        None: this session.
        """
        if stop is None:
            return self
        view = copy.copy(self)
        view._stop = stop
        return view

    def running_at_once(self, count: int) -> StepSession:
        """Return this session, or a view of it whose steps have one thread each if ``count`` of them run at once."""
        if count == 1:
            return self
        view = copy.copy(self)
        view.onnx = self._single_threaded
        return view

    def bind(self, vocabulary: int) -> None:
        """Read the states off the graph and check that it is a step over ``vocabulary`` tokens."""
        inputs = {value.name: value for value in self.onnx.get_inputs()}
        outputs = {value.name: value for value in self.onnx.get_outputs()}
        names = [name for name in inputs if name.startswith("state.")]
        names.sort(key=lambda name: (len(name), name))  # state.2 before state.10
        self.states = tuple(_state_spec(self.path, inputs[name]) for name in names)
        self._outputs = ["logits", *(f"{name}.next" for name in names)]
        missing = [name for name in ("token",) if name not in inputs]
        missing += [name for name in self._outputs if name not in outputs]
        if missing:
            raise ModelFileError(f"{self.path}: the graph has no {missing[0]!r}: it is not a genrun decoding step")
        unknown = [name for name, value in inputs.items() if name not in ("token", *names) and _is_required(value)]
        if unknown:
            raise ModelFileError(
                f"{self.path}: the graph needs an input {unknown[0]!r} that this genrun does not know"
            )
        token, shape = inputs["token"], outputs["logits"].shape
        if token.type != "tensor(int64)" or len(token.shape) != 1:
            raise ModelFileError(f"{self.path}: the graph's 'token' has type {token.type} and shape {token.shape}")
        if outputs["logits"].type != "tensor(float)":
            raise ModelFileError(f"{self.path}: the graph's logits have the type {outputs['logits'].type}, not float")
        if len(shape) != 2 or shape[1] != vocabulary:
            raise ModelFileError(
                f"{self.path}: the graph's logits have the shape {shape}, but the tokenizer has {vocabulary} tokens"
            )
        self.vocabulary = vocabulary
        optional = {value.name: value.type for value in self.onnx.get_overridable_initializers()}
        types = {name: value.type for name, value in outputs.items()}
        self.chooses = _CHOOSING_INPUTS.items() <= optional.items() and _CHOOSING_OUTPUTS.items() <= types.items()
        self.normalizes = self.chooses and _NORMALIZING_INPUTS.items() <= optional.items()

    def initial_states(self, batch: int) -> States:
        """Return the states before the first token, zeros ``[batch, …]``."""
        try:
            return [np.zeros((batch, *spec.shape), spec.dtype) for spec in self.states]
        except (MemoryError, ValueError) as error:
            raise ModelFileError(f"{self.path}: its states do not fit into memory: {one_line(error)}") from error

    def step(self, tokens: NDArray[np.int64], states: Sequence[NDArray[Any]]) -> tuple[NDArray[np.float32], States]:
        """Feed one token per row: int64 ``[batch]`` → logits float32 ``[batch, vocabulary]`` and the next states."""
        self.raise_if_stopped()
        feed: dict[str, NDArray[Any]] = {"token": tokens}
        feed.update(zip((spec.name for spec in self.states), states, strict=True))
        try:
            logits, *following = self.onnx.run(self._outputs, feed)
        except Exception as error:
            raise self.step_error(error) from error
        batch = len(tokens)
        shapes = [(batch, self.vocabulary), *((batch, *spec.shape) for spec in self.states)]
        if [array.shape for array in (logits, *following)] != shapes:
            raise ModelFileError(f"{self.path}: the decoding step does not return one row for each of its {batch}")
        return logits, following

    def initial_inputs(self, batch: int) -> dict[str, NDArray[Any]]:
        """Return the inputs of rows that have seen no token, by name: tokens, int64 ``[batch]``, and states."""
        states = zip((spec.name for spec in self.states), self.initial_states(batch), strict=True)
        return {"token": np.zeros(batch, np.int64), **dict(states)}

    def raise_if_stopped(self) -> None:
        """Raise Stopped if this session has been told to stop."""
        if self._stop is not None and self._stop.is_set():
            raise Stopped

    def step_error(self, error: Exception) -> ModelFileError:
        """Return what to raise for ``error`` of onnxruntime, whose exceptions share no public base class."""
        return ModelFileError(f"{self.path}: the decoding step failed: {reason(error)}")


def _is_required(value: Any) -> bool:
    """Return whether an input must be fed; those with a default are not even listed by onnxruntime."""
    return not value.type.startswith("optional")


def _state_spec(path: Path, value: Any) -> StateSpec:
    dtype = _DTYPES.get(value.type)
    shape = tuple(value.shape[1:])
    if dtype is None or not value.shape or not all(isinstance(size, int) for size in shape):
        raise ModelFileError(f"{path}: state {value.name!r} has type {value.type} and shape {value.shape}")
    return StateSpec(value.name, dtype, shape)
