"""Standard input, output and error as every command finds them: open, never failing for an encoding or a note."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Any

__all__ = ["abandon_stdout", "prepare_streams", "reader_has_gone"]


def prepare_streams() -> None:
    """Open what a shell has closed, escape what an encoding lacks, and keep a broken stderr from failing anything."""
    # What a shell has closed (``>&-``) is None, and would make every command fail in its own way.
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: SIM115 - as long as the process
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in ("strict", "surrogateescape"):
        sys.stdout.reconfigure(errors="backslashreplace")
    if os.name != "nt":  # whose console is no file
        with contextlib.suppress(OSError, ValueError):  # a stand-in without a file
            sys.stderr = _unfailing(sys.stderr)


def abandon_stdout() -> None:
    """Throw away what cannot be written any more, so that the interpreter does not try again when it ends."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def reader_has_gone() -> bool:
    """Return whether nobody reads standard output any more; True where that cannot be found out."""
    import select

    try:
        watched = select.poll()
        watched.register(sys.stdout.fileno(), 0)  # errors are always reported
        return bool(watched.poll(0))
    except (OSError, ValueError, AttributeError):
        return True


def _unfailing(stream: Any) -> io.TextIOWrapper:
    """Return a text stream to the same file that takes everything, whether or not it can be written."""
    stream.flush()
    file = io.BufferedWriter(_Unfailing(stream.fileno(), "w", closefd=False))
    return io.TextIOWrapper(file, stream.encoding, "backslashreplace", line_buffering=True, write_through=True)


class _Unfailing(io.FileIO):
    """A file whose writing never fails: what a full disk or a reader that has gone does not take is left out."""

    def write(self, data: Any, /) -> int:
        import select

        left = memoryview(data).cast("B")
        size = len(left)
        with contextlib.suppress(OSError):
            while left:
                written = super().write(left)
                if written is None:  # whoever made the pipe has set it so
                    select.select([], [self.fileno()], [])
                left = left[written or 0 :]
        return size
