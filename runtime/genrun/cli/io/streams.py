"""Standard streams for every command: always open; an encoding or a note on stderr never fails a command."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Any

__all__ = ["abandon_stdout", "prepare_streams", "reader_has_gone"]


def prepare_streams() -> None:
    """Open streams that the shell closed, escape what an encoding lacks, and make stderr ignore write errors."""
    # A stream that the shell closed (``>&-``) is None, which would break each command differently.
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115 - open until the process ends
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in ("strict", "surrogateescape"):
        sys.stdout.reconfigure(errors="backslashreplace")
    if os.name != "nt":  # its console is no file
        with contextlib.suppress(OSError, ValueError):  # a stand-in without a file
            sys.stderr = _unfailing(sys.stderr)


def abandon_stdout() -> None:
    """Drop output that cannot be written, so that the interpreter does not try again when it ends."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def reader_has_gone() -> bool:
    """Return whether the reader of standard output has closed it; True where that cannot be found out."""
    import select

    try:
        watched = select.poll()
        watched.register(sys.stdout.fileno(), 0)  # errors are always reported
        return bool(watched.poll(0))
    except (OSError, ValueError, AttributeError):
        return True


def _unfailing(stream: Any) -> io.TextIOWrapper:
    """Return a text stream to the same file that ignores write errors."""
    stream.flush()
    file = io.BufferedWriter(_Unfailing(stream.fileno(), "w", closefd=False))
    return io.TextIOWrapper(file, stream.encoding, "backslashreplace", line_buffering=True, write_through=True)


class _Unfailing(io.FileIO):
    """A file that drops what a full disk or a closed pipe does not take, instead of raising."""

    def write(self, data: Any, /) -> int:
        import select

        left = memoryview(data).cast("B")
        size = len(left)
        with contextlib.suppress(OSError):
            while left:
                written = super().write(left)
                if written is None:  # the pipe was made non-blocking, and is full
                    select.select([], [self.fileno()], [])
                left = left[written or 0 :]
        return size
