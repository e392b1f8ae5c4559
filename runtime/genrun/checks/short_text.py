"""Turns a stranger's text (exception messages, names in metadata, values) into one short and harmless line."""

from __future__ import annotations

import re
import reprlib

from genrun.checks.printable import UNSAFE

__all__ = ["CHARACTERS", "class_name", "short_line", "shorten", "shown"]

CHARACTERS = 300  # the most in a line
_OF_A_VALUE = 60
_ESCAPE_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor movements
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # titles, links
    r"|\x1b[ -/]*[0-~]"
)
_GAP = " … "


def short_line(text: str, most: int = CHARACTERS) -> str:
    """Return ``text`` on one line of at most ``most`` characters, cut in the middle, without control characters.

    Terminal escape sequences are removed; any other control character becomes "�".

    >>> short_line("first\\n  \\x1b[31msecond\\x1b[0m \\x07")
    'first second �'
    >>> short_line("0123456789" * 100, most=13)
    '01234 … 56789'
    """
    text = str.__str__(text)  # a subclass may override anything
    if len(text) > 8 * most:  # skip the middle, which is cut anyway
        text = text[: 4 * most] + _GAP + text[-4 * most :]
    text = re.sub(UNSAFE, "�", " ".join(_ESCAPE_SEQUENCES.sub("", text).split()))
    if len(text) <= most:
        return text
    head = (most - len(_GAP) + 1) // 2
    return f"{text[:head]}{_GAP}{text[len(text) - (most - len(_GAP) - head) :]}"


class _Short(reprlib.Repr):
    """``repr`` in bounded time and length."""

    def __init__(self) -> None:
        super().__init__()
        self.maxother, self.maxlevel, self.fillvalue = 2 * _OF_A_VALUE, 3, "…"

    def repr_str(self, value: str, level: int) -> str:
        return repr(shorten(value))

    def repr_bytes(self, value: bytes | bytearray, level: int) -> str:
        return repr(value[:_OF_A_VALUE]) + ("…" if len(value) > _OF_A_VALUE else "")

    repr_bytearray = repr_bytes

    def repr_int(self, value: int, level: int) -> str:
        bits = value.bit_length()
        return repr(value) if bits <= 256 else f"a whole number of {bits:,} bits"

    def repr_instance(self, value: object, level: int) -> str:
        return shorten(repr(value), self.maxother)


_short = _Short()


def shown(value: object) -> str:
    """Return ``value`` for a message: its ``repr`` as a short line, or the name of its class if ``repr`` raises.

    >>> shown("x"), shown([1, "y" * 1000]) == f"[1, '{'y' * 60}…']"
    ("'x'", True)
    """
    try:
        return short_line(_short.repr(value), 4 * _OF_A_VALUE)
    except KeyboardInterrupt:
        raise
    except BaseException:  # __repr__ of any class may raise anything
        return f"an object of the class {class_name(value)}"


def shorten(text: str, most: int = _OF_A_VALUE) -> str:
    """Return ``text`` for a message, cut after ``most`` characters."""
    return text if len(text) <= most else text[:most] + "…"


def class_name(value: object) -> str:
    """Return the name of the class of ``value``, even if an attribute ``__name__`` of its metaclass raises.

    >>> class_name(3)
    'int'
    """
    return short_line(type.__dict__["__name__"].__get__(type(value)), 80)
