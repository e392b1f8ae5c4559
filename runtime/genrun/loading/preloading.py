"""Loading the CUDA libraries that pip installed, which onnxruntime does not find by itself."""

from __future__ import annotations

from types import FunctionType, ModuleType

__all__ = ["preload_libraries"]


def preload_libraries(onnxruntime: ModuleType) -> str:
    """Load the libraries that CUDA needs; return what could not be loaded, as onnxruntime words it.

    ``onnxruntime.preload_dlls`` tells it with ``print``, and standard output belongs to the program. So a copy of
    that function is called whose ``print`` is a list: ``sys.stdout`` stays as it is, for all threads.
    """
    preload = getattr(onnxruntime, "preload_dlls", None)
    if not isinstance(preload, FunctionType):  # an onnxruntime that has none
        return ""
    said: list[str] = []
    names = {**preload.__globals__, "print": lambda *words, **_: said.append(" ".join(map(str, words)))}
    quiet = FunctionType(preload.__code__, names, preload.__name__, preload.__defaults__, preload.__closure__)
    quiet.__kwdefaults__ = preload.__kwdefaults__
    quiet()
    return "\n".join(said)
