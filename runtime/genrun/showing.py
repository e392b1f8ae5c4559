"""Values as messages show them: on one short line, whatever they are and however large."""

from __future__ import annotations

import reprlib
from typing import Any

__all__ = ["shorten", "shown"]

_MOST_CHARACTERS = 60


def shorten(text: str, most: int = _MOST_CHARACTERS) -> str:
    """Return ``text`` for a message, cut where it is long."""
    return text if len(text) <= most else text[:most] + "…"


class _Short(reprlib.Repr):
    """``repr`` in bounded time and length."""

    def __init__(self) -> None:
        super().__init__()
        self.maxother, self.maxlevel, self.fillvalue = 2 * _MOST_CHARACTERS, 3, "…"

    def repr_str(self, value: str, level: int) -> str:
        return repr(shorten(value))

    def repr_bytes(self, value: bytes | bytearray, level: int) -> str:
        return repr(value[:_MOST_CHARACTERS]) + ("…" if len(value) > _MOST_CHARACTERS else "")

    repr_bytearray = repr_bytes

    def repr_int(self, value: int, level: int) -> str:
        bits = value.bit_length()
        return repr(value) if bits <= 256 else f"a whole number of {bits:,} bits"


_short = _Short()


def shown(value: Any) -> str:
    """Return ``value`` as a message shows it: its ``repr`` on one line, short however large it is.

    >>> shown("x"), shown([1, "y" * 1000]) == f"[1, '{'y' * 60}…']"
    ("'x'", True)
    """
    try:
        text = " ".join(_short.repr(value).split())
    except Exception:  # of a value that cannot even be shown
        text = f"a {type(value).__name__}"
    return shorten(text, 4 * _MOST_CHARACTERS)
