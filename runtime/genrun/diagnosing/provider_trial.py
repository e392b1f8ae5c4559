"""Runs a model on an execution provider of onnxruntime, in another process.

A crash of native code ends only that process, and its output on any stream can be read. :func:`try_provider` starts
it: ``python -P -m genrun.diagnosing.provider_trial CUDAExecutionProvider``.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from genrun.diagnosing.child_process import child_command, child_environment
from genrun.errors import one_line
from genrun.loading.device import CPU, CUDA, import_onnxruntime, reason
from genrun.loading.startup_failures import known_cause, last_line

__all__ = ["MODEL", "Trial", "try_provider"]

# An ONNX model of one node, y = x · x for x float32 [2, 2] (ir_version 8, opset 17), without the package onnx.
MODEL = bytes.fromhex(
    "08083a400a110a01780a017812017922064d61744d756c1201745a130a0178120e0a0c080112080a0208020a02080262"
    "130a0179120e0a0c080112080a0208020a02080242040a001011"
)
_PATIENCE_SECONDS = 120.0  # the first start of CUDA on a machine can take most of a minute


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of trying a provider.

    ``works``: a model ran on it. ``why_not``: otherwise the reason, in one line. ``available``: the providers that
    the imported onnxruntime was compiled with. ``driver``: the newest CUDA version that the NVIDIA driver supports,
    such as ``12.4``; "" without a driver.
    """

    works: bool
    why_not: str = ""
    available: tuple[str, ...] = ()
    driver: str = ""


def try_provider(provider: str, *, seconds: float = _PATIENCE_SECONDS) -> Trial:
    """Run a tiny model on ``provider`` in another process for at most ``seconds``; a failure raises nothing."""
    command, environment = child_command("genrun.diagnosing.provider_trial", provider), child_environment()
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return Trial(False, f"it did not answer within {seconds:g} seconds")
    except OSError as error:
        return Trial(False, f"Python could not be started: {one_line(error)}")
    return understand(done.returncode, *(text.decode("utf-8", "replace") for text in (done.stdout, done.stderr)))


def understand(status: int, stdout: str, stderr: str) -> Trial:
    """Return the result of the process, given its exit status and output.

    >>> understand(-11, "", "").why_not
    'the process crashed (signal 11)'
    """
    *lines, last = ["", *stdout.splitlines()]
    printed = "\n".join([*lines, stderr])
    try:
        report = json.loads(last)
    except ValueError:
        ended = f"signal {-status}" if status < 0 else f"exit status {status}"
        said = known_cause(printed + last) or last_line(f"{printed}\n{last}")
        return Trial(False, f"the process crashed ({ended})" + (f": {said}" if said else ""))
    if not report["works"]:
        raised = report["why_not"]
        why_not = known_cause(f"{printed}\n{raised}") or raised[:300] or last_line(printed)
        report["why_not"] = why_not or "onnxruntime did not start it, and does not say why"
    return Trial(**{**report, "available": tuple(report["available"])})


def _try_here(provider: str) -> dict[str, Any]:
    """Try ``provider`` in this process and return the fields of a Trial."""
    report: dict[str, Any] = {"works": False, "why_not": "", "available": [], "driver": _driver()}
    try:
        import numpy as np

        ort = import_onnxruntime()
        report["available"] = ort.get_available_providers()
        if provider not in report["available"]:
            return {**report, "why_not": f"onnxruntime {ort.__version__} was compiled without it"}
        if provider == CUDA and hasattr(ort, "preload_dlls"):
            ort.preload_dlls()
        session = ort.InferenceSession(MODEL, providers=list(dict.fromkeys((provider, CPU))))
        session.disable_fallback()
        if provider in session.get_providers():
            [answer] = session.run(None, {"x": np.eye(2, dtype=np.float32)})
            report["works"] = bool((answer == np.eye(2)).all())
            report["why_not"] = "" if report["works"] else "it computed a wrong result"
    except Exception as error:  # any failure is part of the result
        report["why_not"] = reason(error.__cause__ if isinstance(error.__cause__, Exception) else error)
    return report


def _driver() -> str:
    """Return the newest version of CUDA that the installed NVIDIA driver supports, "" without a driver."""
    version = ctypes.c_int()
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        if library.cuDriverGetVersion(ctypes.byref(version)) == 0 and version.value:
            return f"{version.value // 1000}.{version.value % 1000 // 10}"
    return ""


if __name__ == "__main__":
    found = json.dumps(_try_here(sys.argv[1]))
    print(f"\n{found}", flush=True)
