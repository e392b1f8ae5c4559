"""Names of requests and answers and fresh seeds, different in all processes; and the paths that are asked for."""

from __future__ import annotations

import itertools
import os
import struct
import uuid

from starlette.types import Scope

__all__ = ["HEALTH", "FreshSeeds", "new_name", "path_of"]

HEALTH = frozenset(("/livez", "/readyz", "/health"))

# Counted, not drawn: asking the system for random bytes lets other threads run, and they keep Python's lock for
# milliseconds.
_PROCESS = uuid.uuid4().hex[:20]
_numbers = itertools.count()


def new_name() -> str:
    """Return a name of 32 hexadecimal digits."""
    return f"{_PROCESS}{next(_numbers):012x}"


def path_of(scope: Scope) -> str:
    """Return the path of a request within the application, which may be mounted in another one.

    >>> path_of({"path": "/texts/livez", "root_path": "/texts"}), path_of({"path": "/livez"})
    ('/livez', '/livez')
    """
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


class FreshSeeds:
    """Seeds of 63 bits that nobody can guess. Many are drawn together, for the reason that names are counted."""

    _BLOCK = 256

    def __init__(self) -> None:
        self._left = list[int]()
        self._process = 0

    def next(self) -> int:
        """Return the next seed; a forked process has seeds of its own."""
        if not self._left or self._process != os.getpid():
            self._process = os.getpid()
            self._left = [number >> 1 for number in struct.unpack(f"{self._BLOCK}Q", os.urandom(8 * self._BLOCK))]
        return self._left.pop()
