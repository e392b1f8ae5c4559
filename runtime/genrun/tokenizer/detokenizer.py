"""Joins pieces to text as a person would write it: with spaces, punctuation, quotation marks and casing.

The text of a piece depends only on the pieces before it. So a text can be streamed: pushing pieces one by one gives
exactly the text of all pieces.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Hashable, Iterable

from genrun.checks.short_text import shown
from genrun.errors import OptionError, nearest
from genrun.tokenizer.marks import JOINER, without_joiners

__all__ = ["BREAKS", "CASINGS", "CONTRACTIONS", "Detokenizer", "MarkedDetokenizer", "check_casing", "title_case"]

CASINGS = ("none", "corpus", "title", "sentence", "upper")

_NO_SPACE_BEFORE = frozenset(".,!?;:%)]}”’»…›」』。、！？：")
_NO_SPACE_AFTER = frozenset("([{“‘«$£€#¿¡„‚‹「『")
_CLOSING = frozenset('”’»")]}›」』')
_LOW = {"„": "“", "‚": "‘"}  # German: an opening mark, and the one that closes it, which opens elsewhere
BREAKS = frozenset(("\n", "\n\n"))
_CLOSE = frozenset("“‘")  # German: the other closing marks close in any language
_SENTENCE_END = frozenset(".!?…。！？")
CONTRACTIONS = frozenset(
    apostrophe + ending for apostrophe in "'’" for ending in ("s", "t", "d", "m", "ll", "re", "ve")
) | {"n't", "n’t"}
# The first letter of a word or of a part after a hyphen or the like; not a letter after an apostrophe or a digit.
_TITLE_START = re.compile(r"(?:^|(?<=[-–—/.&+(\[{“‘\"]))[^\W\d_]")


def title_case(word: str) -> str:
    """Return a word capitalized as in headlines; letters after an apostrophe do not change.

    >>> [title_case(word) for word in ("don’t", "self-expression", "e.p.a", "2nd")]
    ['Don’t', 'Self-Expression', 'E.P.A', '2nd']
    """
    return _TITLE_START.sub(lambda match: match.group().title(), word)


def check_casing(casing: str) -> str:
    """Return ``casing`` if it is one of CASINGS; raises OptionError with the nearest names otherwise."""
    if not isinstance(casing, str) or casing not in CASINGS:
        raise OptionError(f"unknown casing {shown(casing)}; {nearest(casing, CASINGS)}")
    return casing


class Detokenizer:
    """Joins pieces to text, one at a time.

    ``spaced``: False for character tokenizers, whose pieces are joined without spaces. ``capitalize_first``: with the
    casing ``corpus``, documents and sentences begin with a capital letter (with ``sentence`` they always do).
    ``line_breaks``: of words, how many in a row separate paragraphs; then pieces may be line breaks, which have no
    space around them, and lines begin as sentences do. 0: none are.

    >>> Detokenizer().join(["well", ",", "“", "go", "”", "!"])
    'well, “go”!'
    >>> Detokenizer(casing="title").join(["don’t", "stop"])
    'Don’t Stop'
    """

    def __init__(
        self, *, spaced: bool = True, casing: str = "none", capitalize_first: bool = True, line_breaks: int = 0
    ) -> None:
        self._spaced = spaced
        self._line_breaks = line_breaks
        self._broken = 0  # line breaks since the last other piece
        self._casing = check_casing(casing)
        self._capitalize = casing == "sentence" or (casing == "corpus" and capitalize_first)
        self._as_it_stands = casing in ("none", "corpus") and not self._capitalize
        self._at_start = True
        self._sentence_start = True
        self._abbreviated = False  # the last piece looks like an abbreviation: "." ends no sentence
        self._glue = True  # the next piece follows without a space
        self._quote_open = False
        self._low_open = ""  # what closes the low quotation mark that is open
        self._word_start = True  # for pieces that are single characters

    def push(self, piece: str) -> str:
        """Add ``piece`` and return its text; an empty piece (a special token) adds nothing."""
        if not piece:
            return ""
        if not self._spaced:
            return self._cased(piece)
        if self._line_breaks and piece in BREAKS:
            return self._break(piece)
        self._broken = 0
        closes_low = piece == self._low_open
        closes_quote = (piece == '"' and self._quote_open) or closes_low
        glued = self._glue or closes_quote or piece in _NO_SPACE_BEFORE or piece in CONTRACTIONS
        self._glue = not closes_low and (piece in _NO_SPACE_AFTER or (piece == '"' and not self._quote_open))
        if piece == '"':
            self._quote_open = not self._quote_open
        elif closes_low or piece in _LOW:
            self._low_open = "" if closes_low else _LOW[piece]
        space = "" if glued or self._at_start else " "
        return space + self._cased(piece, closes=closes_low)

    @property
    def spacing(self) -> Hashable:
        """What decides where spaces stand from here on; equal for two texts that go on alike."""
        broken = min(self._broken, self._line_breaks)
        return self._glue, self._at_start, self._quote_open, self._low_open, broken

    def peek(self, piece: str) -> str:
        """Return the text that ``piece`` would have next, without adding it."""
        return copy.copy(self).push(piece)

    def join(self, pieces: Iterable[str]) -> str:
        """Add all ``pieces`` and return their text."""
        return "".join([self.push(piece) for piece in pieces])

    def finish(self) -> str:
        """Return the text that was held back, none; no more pieces come."""
        return ""

    def _break(self, piece: str) -> str:
        """Add a line break, or two; where a paragraph ends, no quotation mark stays open."""
        self._broken += len(piece)
        if self._broken >= self._line_breaks:
            self._quote_open, self._low_open = False, ""
        self._glue = self._sentence_start = True
        return piece

    def _cased(self, piece: str, *, closes: bool = False) -> str:
        if self._as_it_stands:  # it does not matter where sentences begin
            self._at_start = False
            return piece
        starts = self._sentence_start
        if piece.isalnum() or any(character.isalnum() for character in piece):
            self._sentence_start = False
        if piece in _SENTENCE_END or (not self._spaced and piece.endswith("\n")):
            self._sentence_start = not (piece == "." and self._abbreviated)
        elif closes or piece in _CLOSING:  # “Where?” asked Tom.
            self._sentence_start = False
        short = self._spaced and (len(piece) == 1 or "." in piece)
        self._abbreviated = short and any(character.isalpha() for character in piece)  # J., U.S.
        word_start, self._word_start = self._word_start, piece.isspace()
        self._at_start = False
        if self._casing == "title":
            return title_case(piece) if self._spaced or word_start else piece
        if self._casing == "upper":
            return piece.upper()
        if self._capitalize and starts and piece == piece.lower():  # iPhone stays iPhone
            return piece[:1].title() + piece[1:]
        return piece


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
