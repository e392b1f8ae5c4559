"""Lines of text from a file or a pipe, in blocks of those that are there."""

from __future__ import annotations

import codecs
import os
import select
import stat
from collections.abc import Iterator
from typing import Any, BinaryIO

from genrun.errors import PromptError

__all__ = ["LineError", "LineReader"]

_BLOCK_BYTES = 2**17  # of a file; a pipe holds 64 KiB
_LONGEST_BYTES = 2**24


class LineError(PromptError):
    """A line that cannot be read as a text; the message names file and line."""


class LineReader:
    """The lines of ``file``, UTF-8 with or without a byte order mark, without their ends; ``name`` is for messages.

    Iterating yields lists of lines: those that one read of at most 128 KiB completes. A line that arrives alone is a
    list by itself. Raises LineError for a line that is not UTF-8 or longer than 16 MiB, after the lines before it.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self._before = 0  # lines before the last block

    def place(self, index: int) -> str:
        """Return where the line ``index`` of the last block stands, for messages."""
        return f"{self._name}, line {self._before + index + 1}"

    def __iter__(self) -> Iterator[list[str]]:
        started = bytearray()  # a line whose end has not been read
        while read := self._read():
            head, end, rest = read.partition(b"\n")
            started += head
            if len(started) > _LONGEST_BYTES:
                raise LineError(f"{self.place(0)}: a text must not be longer than 16 MiB")
            if end:
                *lines, begun = [bytes(started), *rest.split(b"\n")]
                started = bytearray(begun)
                yield from self._block(lines)
        if started and (self._before or started != codecs.BOM_UTF8):  # a mark alone is no text
            yield from self._block([bytes(started)])

    def remaining(self) -> int | None:
        """Return how many lines a file has, before the first is read; None for a pipe."""
        try:
            descriptor = self._file.fileno()
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            at, lines, last = os.lseek(descriptor, 0, os.SEEK_CUR), 0, b"\n"
            if os.pread(descriptor, 4, at) == codecs.BOM_UTF8:  # and nothing behind it
                return 0
            while block := os.pread(descriptor, 2**20, at):
                at, lines, last = at + len(block), lines + block.count(b"\n"), block[-1:]
        except (OSError, AttributeError, ValueError):  # no file, or a system without these calls
            return None
        return lines + (last != b"\n")

    def _block(self, lines: list[bytes]) -> Iterator[list[str]]:
        """Yield whole lines as one block of texts; raises LineError after those before a line that is not UTF-8."""
        if not self._before:
            lines[0] = lines[0].removeprefix(codecs.BOM_UTF8)
        texts: list[str] = []
        try:
            for line in lines:
                texts.append(line.decode().rstrip("\r"))
        except UnicodeDecodeError as error:
            if texts:
                yield texts
            raise LineError(f"{self.place(len(texts))}: a text must be UTF-8") from error
        yield texts
        self._before += len(texts)

    def _read(self) -> bytes:
        """Return what is there, at most a block; wait for the first byte; return nothing at the end of the file."""
        raw: Any = getattr(self._file, "raw", self._file)  # a buffered file would wait for a whole block
        try:
            while (read := raw.read(_BLOCK_BYTES)) is None:  # a pipe that was set not to block, with nothing in it
                select.select([self._file.fileno()], [], [])
        except OSError as error:
            error.filename = self._name
            raise
        return bytes(read)
