"""One decoding step in onnxruntime: opens a model file on a device and runs it, states in, logits and states out.

This is the only module that imports onnxruntime, and it does so when a model is opened.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genrun.errors import DeviceError, MissingExtraError, ModelFileError, OptionError, one_line

if TYPE_CHECKING:
    import onnxruntime as ort

__all__ = ["DEVICES", "StateSpec", "StepSession"]

DEVICES = ("auto", "cpu", "cuda")
_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
_SMALL_BYTES = 16 * 2**20
_DTYPES: dict[str, np.dtype[Any]] = {
    "tensor(float)": np.dtype(np.float32),
    "tensor(float16)": np.dtype(np.float16),
    "tensor(int64)": np.dtype(np.int64),
    "tensor(int32)": np.dtype(np.int32),
}

States = list[NDArray[Any]]


@dataclass(frozen=True, slots=True)
class StateSpec:
    """A state that the step carries: its input name, dtype, and shape without the batch dimension."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]


class StepSession:
    """An open model file. Holds no generation state, so threads may share it.

    ``device`` is ``auto``, ``cpu`` or ``cuda``; afterwards the attribute ``device`` is the one really used and
    ``device_reason`` says why. ``threads``: for one operator; None means one for a
    small model, all cores for a large one. Raises ModelFileError for a file that is no model, DeviceError for a
    device that cannot be used, MissingExtraError without onnxruntime.
    """

    def __init__(self, path: Path, *, device: str = "auto", threads: int | None = None) -> None:
        if device not in DEVICES:
            raise OptionError(f"unknown device {device!r}; accepted: {', '.join(DEVICES)}")
        if threads is not None and threads < 1:
            raise OptionError(f"threads must be 1 or more, not {threads}")
        self.path = path
        _check_readable(path)
        ort = _import_onnxruntime()
        self.device, self.device_reason, self._session = _open_on_device(ort, path, device, threads)
        self.properties: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)

    def bind(self, vocabulary: int) -> None:
        """Read the states off the graph and check that it is a step over ``vocabulary`` tokens."""
        inputs = {value.name: value for value in self._session.get_inputs()}
        outputs = {value.name: value for value in self._session.get_outputs()}
        names = [name for name in inputs if name.startswith("state.")]
        names.sort(key=lambda name: int(name.removeprefix("state.")) if name[6:].isdecimal() else -1)
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
        if len(shape) != 2 or shape[1] != vocabulary:
            raise ModelFileError(
                f"{self.path}: the graph's logits have the shape {shape}, but the tokenizer has {vocabulary} tokens"
            )

    def initial_states(self, batch: int) -> States:
        """Return the states before the first token, zeros ``[batch, …]``."""
        try:
            return [np.zeros((batch, *spec.shape), spec.dtype) for spec in self.states]
        except (MemoryError, ValueError) as error:
            raise ModelFileError(f"{self.path}: its states do not fit into memory: {one_line(error)}") from error

    def step(self, tokens: NDArray[np.int64], states: Sequence[NDArray[Any]]) -> tuple[NDArray[np.float32], States]:
        """Feed one token per row: int64 ``[batch]`` → logits float32 ``[batch, vocabulary]`` and the next states."""
        feed: dict[str, NDArray[Any]] = {"token": tokens}
        feed.update(zip((spec.name for spec in self.states), states, strict=True))
        try:
            logits, *following = self._session.run(self._outputs, feed)
        except Exception as error:  # onnxruntime's exceptions share no public base class
            raise ModelFileError(f"{self.path}: the decoding step failed: {_reason(error)}") from error
        return logits, following


def _check_readable(path: Path) -> None:
    if path.is_dir():
        hint = " (a run folder: genrun export makes a model file of it)" if (path / "run.toml").exists() else ""
        raise ModelFileError(f"{path} is a folder, not a model file{hint}")
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise ModelFileError(f"{path} is empty, not a model file")
    except OSError as error:
        raise ModelFileError(f"{path}: cannot open the model file: {error.strerror or error}") from error


def _import_onnxruntime() -> ModuleType:
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        raise MissingExtraError("running a model needs onnxruntime", "cpu", "gpu") from error


def _open_on_device(
    ort: ModuleType, path: Path, device: str, threads: int | None
) -> tuple[str, str, ort.InferenceSession]:
    """Return the device really used, why, and the session."""
    if device == "cpu":
        return "cpu", "asked for", _open(ort, path, [_CPU], threads)
    why_not = f"the installed onnxruntime {ort.__version__} is without CUDA"
    if _CUDA in ort.get_available_providers():
        if hasattr(ort, "preload_dlls"):
            ort.preload_dlls()
        session = _open(ort, path, [_CUDA, _CPU], threads)
        # The list of available providers says what was compiled in; only the session knows what could start.
        if _CUDA in session.get_providers():
            return "cuda", "asked for" if device == "cuda" else "a GPU is available", session
        why_not = "CUDA is installed but could not start: no GPU, or CUDA or cuDNN libraries are missing"
    if device == "cuda":
        raise DeviceError(f"device 'cuda' cannot be used: {why_not}; it comes with pip install 'genrun[gpu]'")
    return "cpu", why_not, _open(ort, path, [_CPU], threads)


def _open(ort: ModuleType, path: Path, providers: list[str], threads: int | None) -> ort.InferenceSession:
    settings = ort.SessionOptions()
    settings.log_severity_level = 4  # what goes wrong is raised; onnxruntime need not also print it
    # A small step is over before a second thread has woken up; 0 lets onnxruntime use every core.
    settings.intra_op_num_threads = threads or (1 if path.stat().st_size < _SMALL_BYTES else 0)
    settings.inter_op_num_threads = 1
    try:
        return ort.InferenceSession(path, settings, providers=providers)
    except Exception as error:  # onnxruntime's exceptions share no public base class
        raise ModelFileError(f"{path} is not a readable ONNX model: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return the human part of an onnxruntime message such as ``[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : …``."""
    return one_line(error).rpartition(" : ")[2] or one_line(error)


def _is_required(value: Any) -> bool:
    """Return whether an input must be fed; those with a default are not even listed by onnxruntime."""
    return not value.type.startswith("optional")


def _state_spec(path: Path, value: Any) -> StateSpec:
    dtype = _DTYPES.get(value.type)
    shape = tuple(value.shape[1:])
    if dtype is None or not value.shape or not all(isinstance(size, int) for size in shape):
        raise ModelFileError(f"{path}: state {value.name!r} has type {value.type} and shape {value.shape}")
    return StateSpec(value.name, dtype, shape)
