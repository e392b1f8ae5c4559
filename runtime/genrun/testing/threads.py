"""Calls that several threads make at once."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

__all__ = ["together"]

T = TypeVar("T")
_ROUNDS = 3
_SWITCH_SECONDS = 1e-5


def together(call: Callable[[T], Any], arguments: Sequence[T], expected: Sequence[Any]) -> bool:
    """Return whether ``call`` returns something else than ``expected`` while a thread for each argument calls it."""
    start = threading.Barrier(len(arguments))

    def one(number: int) -> bool:
        start.wait()
        return any(call(arguments[number]) != expected[number] for _ in range(_ROUNDS))

    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)  # threads take turns more often than usual
    try:
        with ThreadPoolExecutor(len(arguments)) as pool:
            return any(list(pool.map(one, range(len(arguments)))))
    finally:
        sys.setswitchinterval(before)
