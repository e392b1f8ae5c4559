"""An onnxruntime whose execution providers work or not as a test wants; models still run, on the CPU."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnxruntime
import pytest

__all__ = ["CPU", "CUDA", "TENSORRT", "fake_onnxruntime"]

CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"


class FakeSession:
    """A session on the CPU which says that it runs on the providers that it is told work.

    ``fails`` is what starting CUDA raises. As the real one does, it prints that instead and falls back to the CPU,
    unless it is told not to.
    """

    working: tuple[str, ...] = ()
    fails: str = ""

    def __init__(self, path: Path, settings: Any, providers: list[Any], enable_fallback: int = 1) -> None:
        self.options: dict[str, Any] = dict(item for item in providers if isinstance(item, tuple))
        providers = [item[0] if isinstance(item, tuple) else item for item in providers]
        if CUDA in providers and self.fails:
            if not enable_fallback:
                raise RuntimeError(self.fails)
            print(f"*** EP Error ***\n{self.fails}")
        self.providers = [name for name in dict.fromkeys([*providers, CPU]) if name in self.working]
        self.threads, self.may_fall_back = settings.intra_op_num_threads, bool(enable_fallback)
        self.real = onnxruntime.InferenceSession(path, providers=[CPU])

    def get_providers(self) -> list[str]:
        return self.providers

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


def fake_onnxruntime(
    monkeypatch: pytest.MonkeyPatch,
    *,
    compiled_in: Sequence[str] = (CUDA,),
    works: Sequence[str] = (),
    fails: str = "",
    preloads: bool = False,
) -> None:
    """Put another onnxruntime in place, of which the CPU always works."""
    module = SimpleNamespace(
        __version__="9.9",
        get_available_providers=lambda: [*compiled_in, CPU],
        get_all_providers=onnxruntime.get_all_providers,
        set_default_logger_severity=lambda severity: None,
        SessionOptions=onnxruntime.SessionOptions,
        InferenceSession=type("Session", (FakeSession,), {"working": (*works, CPU), "fails": fails}),
    )
    if preloads:
        module.preload_dlls = lambda: print("Failed to load /lib/libcudnn.so.9:\n  no such file")
    monkeypatch.setitem(sys.modules, "onnxruntime", module)
