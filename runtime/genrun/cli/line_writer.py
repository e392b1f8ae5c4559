"""Whole lines to standard output: fast through a pipe or into a file, and never a part of a line."""

from __future__ import annotations

import codecs
import os
import select
import sys
import time
from types import TracebackType

__all__ = ["LineWriter"]


class LineWriter:
    """Collects lines and writes them together, each write ending with the end of a line.

    Lines are held for at most ``seconds`` while others arrive or somebody asks for :meth:`flush_if_due`, and not at
    all on a terminal. A write has no more
    bytes than a pipe takes at once or not at all (PIPE_BUF of POSIX), so that a process that is killed leaves whole
    lines behind; a line that is longer by itself is the exception. Leaving the context writes what was collected,
    also when it is left by Ctrl-C. Raises BrokenPipeError when the reader has gone.
    """

    _MOST_BYTES = getattr(select, "PIPE_BUF", 512)

    def __init__(self, *, seconds: float = 0.2) -> None:
        self._seconds = 0.0 if sys.stdout.isatty() else seconds
        self._encoding, self._errors = sys.stdout.encoding, sys.stdout.errors or "strict"
        self._encode = codecs.getincrementalencoder(self._encoding)(
            self._errors
        ).encode  # one byte order mark at most
        self._lines: list[bytes] = []
        self._bytes = 0
        self._written = time.monotonic()
        self._left = b""  # of a write that was cut short
        self._in_doubt = False  # whether the last write has been made is not known
        sys.stdout.flush()
        try:
            self._descriptor = sys.stdout.fileno() if os.name != "nt" else None
        except (OSError, ValueError):  # a stand-in without a file
            self._descriptor = None

    def write(self, line: str) -> None:
        """Add a line, given without its end."""
        encoded = self._encode(f"{line}\n")
        if self._bytes + len(encoded) > self._MOST_BYTES:
            self.flush()
        self._lines.append(encoded)
        self._bytes += len(encoded)
        self.flush_if_due()

    def flush_if_due(self) -> None:
        """Write what has been collected, if some of it has been held for long enough."""
        if time.monotonic() - self._written >= self._seconds:
            self.flush()

    def flush(self) -> None:
        """Write what has been collected."""
        if self._lines:
            chunk, self._lines, self._bytes = b"".join(self._lines), [], 0
            self._put(chunk)
        self._written = time.monotonic()

    def __enter__(self) -> LineWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, BrokenPipeError):
            return
        if self._left and not self._in_doubt:
            self._put(self._left)
        self.flush()

    def _put(self, chunk: bytes) -> None:
        if self._descriptor is None:
            sys.stdout.write(chunk.decode(self._encoding, self._errors))
            sys.stdout.flush()
            return
        self._left = chunk
        while self._left:
            # A signal may raise between the write and the note of it: what is in doubt is not written twice.
            self._in_doubt = True
            try:
                written = os.write(self._descriptor, self._left)
            except BlockingIOError:  # whoever made the pipe has set it so
                written = 0
            self._left = self._left[written:]
            self._in_doubt = False
            if self._left:
                select.select([], [self._descriptor], [])
