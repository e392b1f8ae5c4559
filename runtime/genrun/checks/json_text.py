"""Reads a stranger's JSON strictly, so that everything read can also be written."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

__all__ = ["read_json"]

_HALF = re.compile(r"\\u[dD][89a-fA-F]")  # an escaped surrogate; a lone one cannot be written as UTF-8


def read_json(text: str) -> Any:
    """Return the value of a JSON text; raises ValueError or RecursionError if it is not strictly JSON.

    Unlike Python's parser, it also refuses NaN and infinite numbers, numbers too large for a float, and lone
    surrogates.

    >>> read_json('{"rate": 1e999}')
    Traceback (most recent call last):
        ...
    ValueError: the number 1e999 is too large
    """
    value = json.loads(text, parse_constant=_no_number, parse_float=_finite)
    if _HALF.search(text):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise ValueError("it has a lone surrogate") from None
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:20]} is too large")
    return number
