"""Opens a model file with onnxruntime on a device, and reports which device is in use.

This is the only module that imports onnxruntime, when a model is opened. A requested device is used or is an error:
nothing falls back to another device silently.
"""

from __future__ import annotations

import difflib
import importlib
import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

from genrun.checks.arguments import check_count
from genrun.checks.short_text import shown
from genrun.errors import DeviceError, MissingExtraError, ModelFileError, OptionError, one_line
from genrun.loading.onnxruntime_wheels import GPU_WHEEL, how_to_install, installed_wheels
from genrun.loading.startup_failures import known_cause, preload_libraries

if TYPE_CHECKING:
    import onnxruntime as ort

__all__ = ["CPU", "CUDA", "DEVICES", "DeviceWarning", "OpenedSession", "import_onnxruntime", "open_session", "reason"]

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
DEVICES = ("auto", "cpu", "cuda")
_PROVIDERS = {"cpu": (CPU,), "cuda": (CUDA, CPU)}
_NAMES = {CPU: "cpu", CUDA: "cuda"}
# The default, TF32, computes with a mantissa of ten bits, unlike the verified model.
_WITH_OPTIONS = {CUDA: (CUDA, {"use_tf32": "0"})}
_NO_TELEMETRY = "ORT_DISABLE_TELEMETRY"  # from onnxruntime 1.29 on, its wheels send events to their maker
_SMALL_BYTES = 16 * 2**20
_MOST_THREADS = 1024
_MOST_CHARACTERS = 300  # of a reason
_ASK_DOCTOR = "genrun doctor says what to do"


class DeviceWarning(UserWarning):
    """``device="auto"`` took the CPU although onnxruntime for GPUs is installed."""


class OpenedSession(NamedTuple):
    """An onnxruntime session and its device.

    ``device``: ``cpu``, ``cuda``, or the name of another provider. ``reason``: why this device. ``providers``: all
    that are in use, the preferred one first. ``fell_back``: it is the CPU although onnxruntime for GPUs is installed.
    ``lanes``: the best number of simultaneous steps. ``narrow``: the session for these, with one thread for each
    step; None for ``session`` itself.
    """

    session: ort.InferenceSession
    reason: str
    fell_back: bool = False
    lanes: int = 1
    narrow: ort.InferenceSession | None = None

    @property
    def providers(self) -> tuple[str, ...]:
        """The providers in use; onnxruntime's list of available providers has all that were compiled in."""
        return tuple(self.session.get_providers())

    @property
    def device(self) -> str:
        """The short name of the preferred provider."""
        return _NAMES.get(self.providers[0], self.providers[0])


class _File(NamedTuple):
    """A model file: its path, and its content if that is in memory alone."""

    path: Path
    content: bytes | None

    def __str__(self) -> str:
        return str(self.path)

    def is_small(self) -> bool:
        return (self.path.stat().st_size if self.content is None else len(self.content)) < _SMALL_BYTES


def open_session(
    path: Path, device: str | Sequence[str], threads: int | None, content: bytes | None = None
) -> OpenedSession:
    """Open a model file on ``device``: ``auto``, ``cpu``, ``cuda``, or onnxruntime's providers, a list or text.

    ``content``: what the file holds, if it is not to be read from ``path``, which is then only a name.

    ``threads``: 1 to 1,024, None for all cores. Each operator of a large model uses them. A small model uses them for
    several steps at once, and within a step only if ``threads`` is given. Raises OptionError for an unknown device,
    ModelFileError for a file that is not an ONNX model, DeviceError for a device that cannot be used, and
    MissingExtraError without onnxruntime.
    """
    wanted = _providers(device)
    if threads is not None:
        threads = check_count("threads", threads, most=_MOST_THREADS)
    ort, file = import_onnxruntime(), _File(path, content)
    if wanted is None:
        return _open_on_any(ort, file, threads)
    if wanted == (CPU,):
        return _open_on_cpu(ort, file, threads, "asked for")
    _check_available(ort, wanted, device)
    session, why_not = _try(ort, file, wanted, threads)
    if session is None:
        _open(ort, file, (CPU,), threads)  # raises if the cause is the file
        raise DeviceError(f"device {shown(device)} cannot be used: {why_not}; {_ASK_DOCTOR}")
    return OpenedSession(session, "asked for")


def import_onnxruntime() -> ModuleType:
    """Return the module onnxruntime, whose telemetry is off unless the environment or the program has it on.

    Raises MissingExtraError, with the pip command, if it is not installed, and DeviceError if it cannot be used, for
    example after one of two wheels was removed.
    """
    os.environ.setdefault(_NO_TELEMETRY, "1")  # read once, as onnxruntime is imported
    try:
        module = importlib.import_module("onnxruntime")
        for name in ("InferenceSession", "get_available_providers"):
            getattr(module, name)
    except ModuleNotFoundError as error:
        if error.name != "onnxruntime":
            raise DeviceError(f"onnxruntime cannot be imported: {one_line(error)}; {_ASK_DOCTOR}") from error
        raise MissingExtraError("running a model needs onnxruntime", "cpu", "gpu") from error
    except Exception as error:  # for example, its native libraries may fail to load
        raise DeviceError(f"onnxruntime cannot be imported: {one_line(error)}; {_ASK_DOCTOR}") from error
    return module


def reason(error: Exception) -> str:
    """Return the last part of an onnxruntime message such as ``[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : …``."""
    return one_line(error).rpartition(" : ")[2] or one_line(error)


def _providers(device: object) -> tuple[str, ...] | None:
    """Return the names of the requested providers; None for ``auto``."""
    accepted = f"accepted: {', '.join(DEVICES)}, or a list of onnxruntime's providers such as {CUDA},{CPU}"
    if isinstance(device, str):
        if device == "auto":
            return None
        names = _PROVIDERS.get(device) or tuple(name.strip() for name in device.split(","))
        if not any(name.endswith("ExecutionProvider") for name in names):
            raise OptionError(f"unknown device {shown(device)}; {accepted}")
    else:
        names = tuple(device) if isinstance(device, Sequence) and not isinstance(device, (bytes, bytearray)) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise OptionError(f"unknown device {shown(device)}; {accepted}")
    if len(set(names)) < len(names):
        raise OptionError(f"device {shown(device)} names a provider twice")
    return names


def _check_available(ort: ModuleType, wanted: Sequence[str], device: str | Sequence[str]) -> None:
    """Raise OptionError for an unknown provider, DeviceError for one that was not compiled in."""
    available = ort.get_available_providers()
    absent = [name for name in wanted if name not in available]
    for name in absent:
        known = {provider.lower(): provider for provider in ort.get_all_providers()}
        if name not in known.values():
            near = difflib.get_close_matches(
                name[:_MOST_CHARACTERS].lower(), known, n=1, cutoff=0.9
            )  # all names end in ExecutionProvider
            hint = f"did you mean {known[near[0]]!r}?" if near else f"accepted: {', '.join(available)}"
            raise OptionError(f"unknown execution provider {shown(name)}; {hint}")
    if CUDA in absent:
        do = how_to_install("gpu", installed_wheels())
        raise DeviceError(f"device {shown(device)} cannot be used: {_why_without_cuda(ort)}; {do}")
    if absent:
        raise DeviceError(
            f"device {shown(device)} cannot be used: the installed onnxruntime {ort.__version__} "
            f"is without {absent[0]}; it has {', '.join(available)}"
        )


def _open_on_any(ort: ModuleType, file: _File, threads: int | None) -> OpenedSession:
    if CUDA not in ort.get_available_providers():
        why_not, meant_for_gpus = _why_without_cuda(ort), GPU_WHEEL in installed_wheels()
    else:
        session, why_not = _try(ort, file, (CUDA, CPU), threads)
        meant_for_gpus = True
        if session is not None:
            return OpenedSession(session, "a GPU is available")
    return _open_on_cpu(ort, file, threads, why_not, meant_for_gpus)


def _why_without_cuda(ort: ModuleType) -> str:
    wheels = installed_wheels()
    if len(wheels) > 1:
        return f"{' and '.join(wheels)} are both installed and overwrite each other"
    return f"the installed onnxruntime {ort.__version__} is without CUDA"


def _try(
    ort: ModuleType, file: _File, wanted: Sequence[str], threads: int | None
) -> tuple[ort.InferenceSession | None, str]:
    """Return a session that runs on all of ``wanted`` providers, or None and the reason why not."""
    said, failure, missing = preload_libraries(ort) if CUDA in wanted else "", "", list(wanted)
    try:
        session = _new_session(ort, file, wanted, threads)
    except Exception as error:  # onnxruntime's exceptions share no public base class
        failure = reason(error)
        said = f"{said}\n{one_line(error)}"
    else:
        missing = [name for name in wanted if name not in session.get_providers()]
        if not missing:
            return session, ""
    why = known_cause(said) or failure[:_MOST_CHARACTERS] or " ".join(said.split())[:_MOST_CHARACTERS]
    if missing[0] == CUDA:
        return None, f"CUDA could not start ({why or 'no GPU, or CUDA or cuDNN libraries are missing'})"
    return None, f"{missing[0]} could not start ({why or 'what it needs is missing here'})"


def _open_on_cpu(
    ort: ModuleType, file: _File, threads: int | None, why: str, fell_back: bool = False
) -> OpenedSession:
    session = _open(ort, file, (CPU,), threads)
    if not file.is_small():
        return OpenedSession(session, why, fell_back)
    if threads is None:
        cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
        return OpenedSession(session, why, fell_back, len(cores))
    narrow = _open(ort, file, (CPU,), 1) if threads > 1 else None
    return OpenedSession(session, why, fell_back, threads, narrow)


def _open(ort: ModuleType, file: _File, providers: Sequence[str], threads: int | None) -> ort.InferenceSession:
    try:
        return _new_session(ort, file, providers, threads)
    except Exception as error:  # onnxruntime's exceptions share no public base class
        raise ModelFileError(f"{file} is not a readable ONNX model: {reason(error)}") from error


def _new_session(ort: ModuleType, file: _File, providers: Sequence[str], threads: int | None) -> ort.InferenceSession:
    """Return a session on ``providers``, or raise onnxruntime's own exception.

    Without ``enable_fallback=0``, onnxruntime would print a failure to standard output and open the file on the CPU,
    and it would repeat a step that fails on a GPU, and run all later steps, on the CPU.
    """
    settings = ort.SessionOptions()
    settings.log_severity_level = 4  # failures are raised, so onnxruntime need not print them
    # A small step is over before a second thread has woken up; 0 means every core.
    settings.intra_op_num_threads = threads or (1 if file.is_small() else 0)
    settings.inter_op_num_threads = 1
    settings.add_session_config_entry("session.load_model_format", "ONNX")  # for any file name
    chosen = [_WITH_OPTIONS.get(name, name) for name in providers]
    model = file.path if file.content is None else file.content
    return ort.InferenceSession(model, settings, providers=chosen, enable_fallback=0)
