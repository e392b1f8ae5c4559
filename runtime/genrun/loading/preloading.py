"""Loads the CUDA libraries that pip installed, which onnxruntime does not find by itself."""

from __future__ import annotations

from types import FunctionType, ModuleType

__all__ = ["preload_libraries"]


def preload_libraries(onnxruntime: ModuleType) -> str:
    """Load the libraries that CUDA needs; return onnxruntime's messages about those that could not be loaded.

    ``onnxruntime.preload_dlls`` reports them with ``print``, but standard output belongs to the program. So a copy of
    that function is called whose ``print`` appends to a list; ``sys.stdout`` is not replaced.
    """
    preload = getattr(onnxruntime, "preload_dlls", None)
    if not isinstance(preload, FunctionType):  # an older onnxruntime has none
        return ""
    said: list[str] = []
    names = {**preload.__globals__, "print": lambda *words, **_: said.append(" ".join(map(str, words)))}
    quiet = FunctionType(preload.__code__, names, preload.__name__, preload.__defaults__, preload.__closure__)
    quiet.__kwdefaults__ = preload.__kwdefaults__
    quiet()
    return "\n".join(said)
