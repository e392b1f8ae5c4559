"""The log of the library, as lines of a command."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator

from genrun.cli.io.output import say

__all__ = ["showing_log"]


class _Lines(logging.Handler):
    """Prints each record on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


@contextlib.contextmanager
def showing_log() -> Iterator[None]:
    """Print on stderr what genrun's library logs within the block; programs do with it what they like.

    >>> with showing_log():
    ...     logging.getLogger("genrun").debug("too detailed for a command")
    """
    log, lines = logging.getLogger("genrun"), _Lines(logging.INFO)
    before = log.level
    log.addHandler(lines)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(lines)
        log.setLevel(before)
