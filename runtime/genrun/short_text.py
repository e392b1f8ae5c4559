"""Text that strangers wrote (messages of exceptions, names in metadata, values) as one short and harmless line."""

from __future__ import annotations

import re

from genrun.printable import UNSAFE

__all__ = ["CHARACTERS", "class_name", "short_line", "short_repr"]

CHARACTERS = 300  # of a line, at most
_ESCAPE_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, movements of the cursor
    r"|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # titles, links
    r"|\x1b[ -/]*[0-~]"
)
_GAP = " … "


def short_line(text: str, most: int = CHARACTERS) -> str:
    """Return ``text`` on one line of at most ``most`` characters, cut in its middle, without control characters.

    Escape sequences of terminals are removed; any other control character becomes "�".

    >>> short_line("first\\n  \\x1b[31msecond\\x1b[0m \\x07")
    'first second �'
    >>> short_line("0123456789" * 100, most=13)
    '01234 … 56789'
    """
    text = str.__str__(text)  # a subclass may do anything
    if len(text) > 8 * most:  # what is between need not be looked at
        text = text[: 4 * most] + _GAP + text[-4 * most :]
    text = re.sub(UNSAFE, "�", " ".join(_ESCAPE_SEQUENCES.sub("", text).split()))
    if len(text) <= most:
        return text
    head = (most - len(_GAP) + 1) // 2
    return f"{text[:head]}{_GAP}{text[len(text) - (most - len(_GAP) - head) :]}"


def short_repr(value: object, most: int = CHARACTERS) -> str:
    """Return ``repr(value)`` as a short line, or the name of its class where that raises.

    >>> short_repr(["a"])
    "['a']"
    """
    try:
        return short_line(repr(value), most)
    except KeyboardInterrupt:
        raise
    except BaseException:  # the class may be anyone's
        return f"an object of the class {class_name(value)}"


def class_name(value: object) -> str:
    """Return the name of the class of ``value``, also where its metaclass has an attribute ``__name__`` that raises.

    >>> class_name(3)
    'int'
    """
    return short_line(type.__dict__["__name__"].__get__(type(value)), 80)
