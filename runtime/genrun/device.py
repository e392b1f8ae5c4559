"""Opening a model file with onnxruntime on a device, and saying which device it really is.

This is the only module that imports onnxruntime, and it does so when a model is opened.
"""

from __future__ import annotations

import contextlib
import importlib
import io
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genrun.errors import DeviceError, MissingExtraError, ModelFileError, OptionError, one_line
from genrun.external_data import refuse_external_data

if TYPE_CHECKING:
    import onnxruntime as ort

__all__ = ["DEVICES", "array_on", "open_session", "reason"]

DEVICES = ("auto", "cpu", "cuda")
_CUDA, _CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
_SMALL_BYTES = 16 * 2**20


def open_session(path: Path, device: str, threads: int | None) -> tuple[str, str, ort.InferenceSession]:
    """Return the device really used, why, and the session.

    ``device`` is ``auto``, ``cpu`` or ``cuda``. ``threads``: for one operator; None means one for a small model, all
    cores for a large one. Raises ModelFileError for a file that is no ONNX model, DeviceError for a device that
    cannot be used, MissingExtraError without onnxruntime.
    """
    if device not in DEVICES:
        raise OptionError(f"unknown device {device!r}; accepted: {', '.join(DEVICES)}")
    if threads is not None and threads < 1:
        raise OptionError(f"threads must be 1 or more, not {threads}")
    _check_readable(path)
    ort = _import_onnxruntime()
    refuse_external_data(path)
    if device == "cpu":
        return "cpu", "asked for", _open(ort, path, [_CPU], threads)
    if _CUDA not in ort.get_available_providers():
        why_not = f"the installed onnxruntime {ort.__version__} is without CUDA"
    else:
        session, why_not = _open_on_cuda(ort, path, threads)
        if session is not None:
            return "cuda", "asked for" if device == "cuda" else "a GPU is available", session
    if device == "cuda":
        raise DeviceError(f"device 'cuda' cannot be used: {why_not}; it comes with pip install 'genrun[gpu]'")
    return "cpu", why_not, _open(ort, path, [_CPU], threads)


def _open_on_cuda(ort: ModuleType, path: Path, threads: int | None) -> tuple[ort.InferenceSession | None, str]:
    """Return a session that really runs on CUDA, or None and the reason.

    What onnxruntime prints meanwhile is held back: standard output belongs to the generated text.
    """
    printed = io.StringIO()
    failure = ""
    with contextlib.redirect_stdout(printed):
        try:
            if hasattr(ort, "preload_dlls"):
                ort.preload_dlls()
            session = _open(ort, path, [_CUDA, _CPU], threads)
            # The list of available providers says what was compiled in; only the session knows what could start.
            if _CUDA in session.get_providers():
                return session, ""
        except ModelFileError as error:
            failure = one_line(error)
    said = failure or " ".join(printed.getvalue().split())[:300]
    return None, f"CUDA could not start ({said or 'no GPU, or CUDA or cuDNN libraries are missing'})"


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


def _open(ort: ModuleType, path: Path, providers: list[str], threads: int | None) -> ort.InferenceSession:
    settings = ort.SessionOptions()
    settings.log_severity_level = 4  # what goes wrong is raised; onnxruntime need not also print it
    # A small step is over before a second thread has woken up; 0 lets onnxruntime use every core.
    settings.intra_op_num_threads = threads or (1 if path.stat().st_size < _SMALL_BYTES else 0)
    settings.inter_op_num_threads = 1
    try:
        return ort.InferenceSession(path, settings, providers=providers)
    except Exception as error:  # onnxruntime's exceptions share no public base class
        raise ModelFileError(f"{path} is not a readable ONNX model: {reason(error)}") from error


def array_on(device: str, value: NDArray[Any]) -> ort.OrtValue:
    """Return an array on the device ``cpu`` or ``cuda`` with the shape, type and content of ``value``."""
    made = _import_onnxruntime().OrtValue.ortvalue_from_shape_and_type(value.shape, value.dtype.type, device, 0)
    made.update_inplace(np.ascontiguousarray(value))
    return made


def reason(error: Exception) -> str:
    """Return the human part of an onnxruntime message such as ``[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : …``."""
    return one_line(error).rpartition(" : ")[2] or one_line(error)
