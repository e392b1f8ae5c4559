"""Finds why an execution provider did not start in the output of onnxruntime and its libraries."""

from __future__ import annotations

import re

__all__ = ["known_cause", "last_line"]

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
