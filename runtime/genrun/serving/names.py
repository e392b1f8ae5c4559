"""Names of requests and answers, different for each one in all processes; and the paths that were asked for."""

from __future__ import annotations

import itertools
import uuid

from starlette.types import Scope

__all__ = ["HEALTH", "new_name", "path_of"]

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
