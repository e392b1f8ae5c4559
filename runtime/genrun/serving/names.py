"""Names of requests and answers, different for each one in all processes."""

from __future__ import annotations

import itertools
import uuid

__all__ = ["new_name"]

# Counted, not drawn: asking the system for random bytes lets other threads run, and they keep Python's lock for
# milliseconds.
_PROCESS = uuid.uuid4().hex[:20]
_numbers = itertools.count()


def new_name() -> str:
    """Return a name of 32 hexadecimal digits."""
    return f"{_PROCESS}{next(_numbers):012x}"
