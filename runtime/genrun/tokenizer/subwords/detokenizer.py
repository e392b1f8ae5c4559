"""Joins subwords to text: bytes to characters, without the spaces that mark the beginnings of lines."""

from __future__ import annotations

import codecs
import copy
from collections.abc import Iterable

from genrun.tokenizer.detokenizer import Detokenizer
from genrun.tokenizer.subwords.byte_letters import bytes_of
from genrun.tokenizer.subwords.pieces import without_line_starts

__all__ = ["SubwordDetokenizer"]


class SubwordDetokenizer(Detokenizer):
    """Joins subwords, in letters of bytes, one at a time; a character comes out with its last byte.

    Bytes that are no UTF-8 become U+FFFD: at the next subword, or in :meth:`finish`.

    >>> written = SubwordDetokenizer()
    >>> [written.push(piece) for piece in ("Ġthe", "Ġcaf", "Ã", "©")], written.finish()
    (['the', ' caf', '', 'é'], '')
    """

    def __init__(self, *, casing: str = "none", capitalize_first: bool = True) -> None:
        super().__init__(spaced=False, casing=casing, capitalize_first=capitalize_first)
        self._bytes = b""  # of a character that is not complete
        self._line_start = True

    def push(self, piece: str) -> str:
        """Add ``piece`` and return the text that is complete; an empty piece (a special token) adds nothing."""
        return self._decoded(bytes_of(piece), final=False) if piece else ""

    def peek(self, piece: str) -> str:
        """Return the text that ``piece`` would have next, as the last one, without adding it."""
        other = copy.copy(self)
        return other.push(piece) + other.finish()

    def join(self, pieces: Iterable[str]) -> str:
        """Add all ``pieces`` and return the text that is complete."""
        return self._decoded(bytes_of("".join(pieces)), final=False)

    def finish(self) -> str:
        """Return the text of the bytes that were held back; no more pieces come."""
        return self._decoded(b"", final=True)

    def _decoded(self, data: bytes, *, final: bool) -> str:
        data = self._bytes + data
        decoded, used = codecs.utf_8_decode(data, "replace", final)
        self._bytes = data[used:]
        if not decoded:
            return ""
        text = without_line_starts(decoded, at_start=self._line_start)
        self._line_start = decoded[-1] == "\n"
        return text if self._as_it_stands else "".join([self._cased(character) for character in text])
