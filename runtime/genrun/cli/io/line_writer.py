"""Whole lines to standard output, in large writes, so that a killed process leaves no part of a line."""

from __future__ import annotations

import codecs
import os
import select
import sys
import time
from collections.abc import Callable
from typing import Any, TextIO

from genrun.checks.printable import printable
from genrun.cli.io.json_line import json_line
from genrun.cli.io.signals import Stopped

__all__ = ["LineWriter"]


_encoders: dict[TextIO, Callable[[str], bytes]] = {}  # shared by all writers of a stream: at most one byte order mark


class LineWriter:
    """Collects lines and writes them together, each write ending with the end of a line.

    Lines are held for at most ``seconds`` while others arrive, and not at all on a terminal. A write has at most
    PIPE_BUF bytes (POSIX), which a pipe takes as a whole or not at all, so that a killed process leaves whole lines
    behind; only a single line may be longer. Leaving the context writes the collected lines; after a signal, those
    that are taken within half a second. Raises BrokenPipeError when the reader has closed the pipe.
    """

    _MOST_BYTES = getattr(select, "PIPE_BUF", 512)
    _LAST_SECONDS = 0.5  # for writing the rest after a signal

    def __init__(self, *, seconds: float = 0.2) -> None:
        self._seconds = 0.0 if sys.stdout.isatty() else seconds
        self._encoding, self._errors = sys.stdout.encoding, sys.stdout.errors or "strict"
        self._encode = _encoder(sys.stdout)
        self._lines: list[bytes] = []
        self._bytes = 0
        self._written = time.monotonic()
        self._left = b""  # the rest of a write that was cut short
        self._in_doubt = False  # it is not known whether the last write was made
        self._until: float | None = None  # when to give up
        sys.stdout.flush()
        try:
            self._descriptor = sys.stdout.fileno() if os.name != "nt" else None
        except (OSError, ValueError):  # a replacement without a file
            self._descriptor = None

    def write(self, *columns: str) -> None:
        """Add a line, given without its end; its columns are separated by tabs."""
        self._add("\t".join(map(printable, columns)) if len(columns) > 1 else printable(*columns))

    def write_json(self, value: Any) -> None:
        """Add a line that is a JSON document."""
        self._add(json_line(value, self._encoding))

    def write_part(self, text: str) -> None:
        """Write a part of a line at once; :meth:`write` ends the line."""
        self.flush()
        self._put(self._encode(printable(text)))

    def flush(self) -> None:
        """Write the collected lines."""
        if self._lines:
            chunk, self._lines, self._bytes = b"".join(self._lines), [], 0
            self._put(chunk)
        self._written = time.monotonic()

    def __enter__(self) -> LineWriter:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, BrokenPipeError):
            return
        if isinstance(error, Stopped):
            self._until = time.monotonic() + self._LAST_SECONDS
        if self._left and not self._in_doubt:
            self._put(self._left)
        if not self._left or self._in_doubt:  # otherwise the rest was not taken, and nothing may follow it
            self.flush()

    def _add(self, line: str) -> None:
        encoded = self._encode(f"{line}\n")
        if self._bytes + len(encoded) > self._MOST_BYTES:
            self.flush()
        self._lines.append(encoded)
        self._bytes += len(encoded)
        if time.monotonic() - self._written >= self._seconds:
            self.flush()

    def _put(self, chunk: bytes) -> None:
        if self._descriptor is None:
            sys.stdout.write(chunk.decode(self._encoding, self._errors))
            sys.stdout.flush()
            return
        self._left = chunk
        while self._left and self._may_write(self._descriptor):
            # A signal may raise after the write and before it is recorded: such a write is not repeated.
            self._in_doubt = True
            try:
                written = os.write(self._descriptor, self._left)
            except BlockingIOError:  # the pipe was made non-blocking
                written = 0
            except BrokenPipeError:
                raise
            except OSError as error:
                error.filename = "standard output"
                raise
            self._left = self._left[written:]
            self._in_doubt = False

    def _may_write(self, descriptor: int) -> bool:
        """Wait until the pipe has room; return False where that takes too long after a signal."""
        patience = None if self._until is None else max(0.0, self._until - time.monotonic())
        return bool(select.select([], [descriptor], [], patience)[1])


def _encoder(stream: TextIO) -> Callable[[str], bytes]:
    if stream not in _encoders:
        _encoders.clear()
        _encoders[stream] = codecs.getincrementalencoder(stream.encoding)(stream.errors or "strict").encode
    return _encoders[stream]
