"""Lines of text from a file or a pipe, read as they are asked for, that say whether the next one is there yet."""

from __future__ import annotations

import codecs
import os
import select
import stat
from collections.abc import Callable
from typing import Any, BinaryIO

from genrun.errors import PromptError

__all__ = ["LineError", "LineReader"]

_BLOCK_BYTES = 2**16
_LONGEST_BYTES = 2**24


class LineError(PromptError):
    """A line that cannot be read as a text; the message says where it stands."""


class LineReader:
    """An iterator over the lines of ``file``, UTF-8, with or without a byte order mark, without their ends.

    Reads at most a block of 64 KiB ahead. ``name`` and ``number`` are file and line for messages; before it has to
    wait for more, it calls ``before_waiting``. A file that is ``owned`` is closed with the reader. Raises LineError
    for a line that is not UTF-8 or longer than 16 MiB, once those before it have been returned.
    """

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        before_waiting: Callable[[], object] | None = None,
        *,
        owned: bool = False,
    ) -> None:
        self.name = name
        self.number = 0
        self._file = file
        self._owned = owned
        self._before_waiting = before_waiting
        self._lines: list[bytes] = []  # whole ones, the next one last
        self._parts: list[bytes] = []  # of a line whose end has not been read
        self._bytes = 0  # in the parts
        self._ended = False
        self._too_long = False  # the line behind the last whole one

    def __iter__(self) -> LineReader:
        return self

    def __next__(self) -> str:
        """Return the next line; waits until there is one."""
        while not self._lines and not self._ended:
            if self._before_waiting is not None and not self._readable():
                self._before_waiting()
            self._read()
        if not self._lines and not self._too_long:
            raise StopIteration
        self.number += 1
        if not self._lines:
            raise LineError(f"{self.place}: a text must not be longer than 16 MiB")
        line = self._lines.pop()
        try:
            return line.decode("utf-8-sig" if self.number == 1 else "utf-8").rstrip("\r")
        except UnicodeDecodeError as error:
            raise LineError(f"{self.place}: a text must be UTF-8") from error

    @property
    def place(self) -> str:
        """The line that was returned last, for messages."""
        return f"{self.name}, line {self.number}"

    @property
    def ended(self) -> bool:
        """Whether the last line has been returned, as far as is known."""
        return self._ended and not self._lines and not self._too_long

    def waits(self) -> bool:
        """Return whether reading the next line, or that there is none, would have to wait."""
        while not self._lines and not self._ended:
            if not self._readable():
                return True
            self._read()
        return False

    def remaining(self) -> int | None:
        """Return how many lines there are, if that can be counted before the first is read; None for a pipe."""
        try:
            descriptor = self._file.fileno()
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            at, lines, last = os.lseek(descriptor, 0, os.SEEK_CUR), 0, b"\n"
            if os.pread(descriptor, 4, at) == codecs.BOM_UTF8:  # and nothing behind it
                return 0
            while block := os.pread(descriptor, 2**20, at):
                at, lines, last = at + len(block), lines + block.count(b"\n"), block[-1:]
        except (OSError, AttributeError, ValueError):  # what is no file, or no such call on this system
            return None
        return lines + (last != b"\n")

    def close(self) -> None:
        """Close the file, if that is the reader's to do."""
        if self._owned:
            self._file.close()

    def _read(self) -> None:
        """Read what there is, at least one byte."""
        while (block := self._block()) is None:  # whoever made the pipe has set it so that nothing waits
            select.select([self._file.fileno()], [], [])
        if not block:
            self._ended = True
            last, self._parts = b"".join(self._parts), []
            if last and not (self.number == 0 and last == codecs.BOM_UTF8):  # a mark alone is no text
                self._lines = [last]
            return
        head, end, rest = block.partition(b"\n")
        self._parts.append(head)
        self._bytes += len(head)
        if self._bytes > _LONGEST_BYTES:  # found while looking ahead, perhaps: raised when it is this line's turn
            self._ended = self._too_long = True
            self._parts = []
            return
        if not end:
            return
        lines = [b"".join(self._parts), *rest.split(b"\n")]
        self._parts = [last] if (last := lines.pop()) else []
        self._bytes = len(last)
        self._lines = lines[::-1]

    def _block(self) -> bytes | None:
        """Return what there is to read, nothing at the end, and None where there is nothing yet."""
        raw: Any = getattr(self._file, "raw", None)  # what is buffered cannot tell these two apart
        try:
            block: bytes | None = self._file.read(_BLOCK_BYTES) if raw is None else raw.read(_BLOCK_BYTES)
        except OSError as error:
            error.filename = self.name
            raise
        return block

    def _readable(self) -> bool:
        """Return whether reading would not have to wait; True where that cannot be found out."""
        try:
            return bool(select.select([self._file.fileno()], [], [], 0)[0])
        except (OSError, ValueError):
            return True
