"""Joins pieces that say where they are attached: spaces stand exactly where they stood."""

from __future__ import annotations

from genrun.tokenizer.detokenizer import BREAKS, Detokenizer
from genrun.tokenizer.marks import JOINER, without_joiners

__all__ = ["MarkedDetokenizer"]


class MarkedDetokenizer(Detokenizer):
    """Joins pieces with a space, but without one on the side where a piece has U+2060 (the step ``mark_edges``).

    >>> MarkedDetokenizer().join(["to", '"\u2060', "the", '\u2060"', "ferry", "\u2060!", "–", "$\u2060", "5"])
    'to "the" ferry! – $5'
    """

    def push(self, piece: str) -> str:
        """Add ``piece`` and return its text; an empty piece (a special token) adds nothing."""
        if not piece:
            return ""
        if self._line_breaks and piece in BREAKS:
            return self._break(piece)
        self._broken = 0
        closes = opens = False
        if JOINER in piece:
            closes, opens = piece.startswith(JOINER), piece.endswith(JOINER)
        space = "" if closes or self._glue or self._at_start else " "
        starts, self._glue = self._sentence_start, opens
        text = self._cased(without_joiners(piece), closes=closes and piece[1:] in _CLOSE)
        if opens:  # “Go: a sentence begins after its opening marks
            self._sentence_start = starts
        return space + text


_CLOSE = frozenset("“‘")  # German: the other closing marks close in any language
