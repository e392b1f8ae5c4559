"""Ranges of whole numbers as options: ``6``, ``5-8``, ``5-`` or ``-8``."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from genrun.errors import OptionError
from genrun.sampling.automata import Automaton

__all__ = ["counting", "parse_range"]

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


def counting(counted: NDArray[np.bool_], least: int, most: int | None) -> Automaton:
    """Return the automaton of texts with ``least`` to ``most`` tokens that are ``counted``, bool ``[tokens]``."""
    last = least if most is None else most
    numbers = np.arange(last + 1)
    table = np.column_stack([numbers, numbers + 1])
    table[last, 1] = last if most is None else -1
    return Automaton(counted.astype(np.int64), table, numbers >= least)
