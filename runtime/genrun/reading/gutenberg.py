"""The frame that Project Gutenberg puts around a book: header and licence, which are no part of the text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["FRAME", "Frame"]

FRAME = "Project Gutenberg's frame"  # the reason for which its lines are dropped
_FIRST = 40  # lines in which its name stands
_LONGEST = 1_000  # lines of a header
_START = re.compile(r"\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG", re.IGNORECASE)
_END = re.compile(r"\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG", re.IGNORECASE)


class Frame:
    """Leaves out the frame of one file; ``lines`` is the number of lines that were left out.

    >>> book = ["The Project Gutenberg eBook", "*** START OF THE PROJECT GUTENBERG EBOOK TIDES ***", "The sea."]
    >>> frame = Frame()
    >>> list(frame.without(book)), frame.lines
    (['The sea.'], 2)
    """

    def __init__(self) -> None:
        self.lines = 0

    def without(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield the lines between the marks of beginning and end; all lines if the first ones have no mark."""
        rest = iter(lines)
        header: list[str] = []
        named = False
        for line in rest:
            header.append(line)
            named = named or "project gutenberg" in line.lower()
            if _START.search(line):
                self.lines, header = len(header), []
                break
            if len(header) >= (_LONGEST if named else _FIRST):
                break
        yield from header
        if not self.lines:
            yield from rest
        for line in rest:
            if _END.search(line):
                self.lines += 1 + sum(1 for _ in rest)
                return
            yield line
