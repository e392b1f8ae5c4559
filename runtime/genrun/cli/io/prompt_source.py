"""The texts that a command works on: its arguments, and the lines of a file or of standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import BinaryIO

from genrun.cli.io.line_reader import LineReader
from genrun.errors import PromptError

__all__ = ["PromptSource"]


class PromptSource:
    """``arguments``, of which "-" means the lines of standard input, and then the lines of ``file``.

    Iterating yields blocks: lists of texts that are there. Reading the next block may wait, so write the answers to
    one before taking the next. The file is open until the context ends. Raises OSError for a file that cannot be
    read, and LineError for a line that is no text.
    """

    def __init__(self, arguments: Iterable[str], file: str | None = None) -> None:
        self._arguments = tuple(arguments)
        self._opened: BinaryIO | None = None
        self._file: LineReader | None = None
        if file == "-":
            self._file = _standard_input()
        elif file is not None:
            self._opened = open(file, "rb")  # noqa: SIM115 - closed with the source
            self._file = LineReader(self._opened, file)
        self._reader: LineReader | None = None  # of the last block; None for arguments

    @property
    def is_unbounded(self) -> bool:
        """Whether there may be any number of texts: lines, and not arguments alone."""
        return self._file is not None or "-" in self._arguments

    def total(self) -> int | None:
        """Return the number of texts, before the first block is read; None where it cannot be counted."""
        lines = self._file.remaining() if self._file is not None else 0
        return None if lines is None or "-" in self._arguments else len(self._arguments) + lines

    def __enter__(self) -> PromptSource:
        return self

    def __exit__(self, *_: object) -> None:
        if self._opened is not None:
            self._opened.close()

    def __iter__(self) -> Iterator[list[str]]:
        for is_standard_input, texts in groupby(self._arguments, "-".__eq__):
            if is_standard_input:
                yield from self._lines(_standard_input())
            else:
                yield list(texts)
        if self._file is not None:
            yield from self._lines(self._file)

    def located(self, error: PromptError, index: int) -> PromptError:
        """Return an ``error`` about the text ``index`` of the last block, with its line if the text is one."""
        return error if self._reader is None else PromptError(f"{self._reader.place(index)}: {error}")

    def _lines(self, reader: LineReader) -> Iterator[list[str]]:
        self._reader = reader
        yield from reader
        self._reader = None


def _standard_input() -> LineReader:
    return LineReader(sys.stdin.buffer, "standard input")
