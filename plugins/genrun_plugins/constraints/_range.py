"""Ranges of whole numbers as options: ``6``, ``5-8``, ``5-`` or ``-8``."""

from __future__ import annotations

import re

from genrun.errors import OptionError

__all__ = ["parse_range"]

_MOST = 10_000


def parse_range(text: str) -> tuple[int, int | None]:
    """Return the least and the most of a range; None for no most. Raises OptionError for anything else.

    >>> parse_range("6"), parse_range("5-8"), parse_range("5-"), parse_range("-8")
    ((6, 6), (5, 8), (5, None), (0, 8))
    """
    match = re.fullmatch(r"\s*(\d{0,9})\s*(-?)\s*(\d{0,9})\s*", text)
    if match is None or not (match[1] or match[3]):
        raise OptionError(f"count must be a number, or a range such as 5-8, 5- or -8, not {text!r}")
    least = int(match[1] or 0)
    most = least if not match[2] else int(match[3]) if match[3] else None
    if most is not None and most < least:
        raise OptionError(f"count must not end before it begins: {text!r}")
    if max(least, most or 0) > _MOST:
        raise OptionError(f"count must be at most {_MOST:,}, not {text!r}")
    return least, most
