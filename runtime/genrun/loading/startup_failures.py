"""The start of execution providers: loads the libraries of CUDA, and finds in output why a provider did not start."""

from __future__ import annotations

import re
from types import FunctionType, ModuleType

__all__ = ["known_cause", "last_line", "preload_libraries"]

_CAUSES = (  # pattern of a known cause, and its text
    (r"(\S+\.so[.\d]*): cannot open shared object file", r"\1 is missing"),
    (r'depends on "([^"]+)" which is missing', r"\1 is missing"),
    (r"(CUDA failure \d+: [^;]+?) *(?:;|$)", r"\1"),
)
_MOST_CHARACTERS = 300


def known_cause(printed: str) -> str:
    """Return the known cause in ``printed``, in one line; "" if there is none.

    >>> known_cause("… with error: libcublasLt.so.13: cannot open shared object file: No such file or directory")
    'libcublasLt.so.13 is missing'
    >>> known_cause("… CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; hostname=…")
    'CUDA failure 100: no CUDA-capable device is detected'
    """
    for pattern, cause in _CAUSES:
        if found := re.search(pattern, printed, re.MULTILINE):
            return " ".join(found.expand(cause).split())[:_MOST_CHARACTERS]
    return ""


def last_line(printed: str) -> str:
    """Return the last line of ``printed`` that is not blank or only asterisks, without colours.

    >>> last_line("first\\n second  half\\n****\\n")
    'second half'
    """
    lines = [line for line in printed.splitlines() if line.strip(" *\t")]
    return " ".join(re.sub(r"\x1b\[[\d;]*m", "", lines[-1]).split())[:_MOST_CHARACTERS] if lines else ""


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
