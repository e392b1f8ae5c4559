"""A text stream over decoded pieces, from which the csv module and pandas read."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

__all__ = ["TextStream"]

# A "\r" at the end of the available text may be half of "\r\n", so it does not end a line yet.
_LINE_END = re.compile(r"\r\n|\n|\r(?!\Z)")


class TextStream(io.TextIOBase):
    r"""A stream over pieces of text that leaves line ends unchanged; where the pieces are cut makes no difference.

    >>> stream = TextStream(iter(["a\r", "\nb", "c"]))
    >>> stream.readline(), stream.read(1), stream.read(1), stream.read(1)
    ('a\r\n', 'b', 'c', '')
    """

    def __init__(self, pieces: Iterator[str]) -> None:
        super().__init__()
        self._pieces = pieces
        self._waiting = ""  # text taken from the pieces; the part before self._at has been read
        self._at = 0

    def readable(self) -> bool:
        """Return True: the stream can be read."""
        return True

    def read(self, size: int | None = -1, /) -> str:
        """Return up to ``size`` characters (all for a negative size); empty only at the end."""
        if size is None or size < 0:
            self._take("".join(self._pieces))
            size = len(self._waiting)
        elif self._at == len(self._waiting):
            self._take(next(self._pieces, ""))
        text = self._waiting[self._at : self._at + size]
        self._at += len(text)
        return text

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        """Return the next line with its end, empty only at the end of the text; ``size`` is ignored."""
        while (end := _LINE_END.search(self._waiting, self._at)) is None:
            piece = next(self._pieces, "")
            if not piece:
                return self.read()
            self._take(piece)
        return self.read(end.end() - self._at)

    def put_back(self, text: str) -> None:
        """Insert ``text`` before the text that is read next."""
        self._waiting, self._at = text + self._waiting[self._at :], 0

    def _take(self, piece: str) -> None:
        self._waiting, self._at = self._waiting[self._at :] + piece, 0
