r"""Line breaks as tokens: of words, ``\n`` is a piece of its own, or stands for the end of a document."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import groupby

from genrun.errors import OptionError
from genrun.tokenizer.kinds import SPLITS
from genrun.tokenizer.subwords.pieces import cut, with_line_starts
from genrun.tokenizer.words.encoder import Encoder

__all__ = ["END_TEXTS", "LINE_BREAK", "LineEndEncoder", "check_end_text", "line_starts", "split_text"]

LINE_BREAK = "\n"
END_TEXTS = ("", LINE_BREAK, 2 * LINE_BREAK)  # what <end> may be written as: nothing, a line break, a blank line
_LINES = re.compile(r"\r\n?|\n")
_MOST_GROWTH = 16  # as of a normalization, but of all lines together
_SHORT = 1_024


def split_text(text: str, normalize: Callable[[str], str], kind: str, split_on: str, most: int = 0) -> list[str]:
    r"""Return the pieces of a text, normalized; with ``most`` above 0, line by line.

    Between lines stand up to ``most`` line breaks, each a piece. So no normalization loses one, and many blank lines
    are as one. Raises OptionError for a text that becomes more than 16 times as long.

    >>> split_text("The sea\n\n\nthe sky", str.lower, "word", "whitespace", most=2)
    ['the', 'sea', '\n', '\n', 'the', 'sky']
    """
    if not most or (LINE_BREAK not in text and "\r" not in text):
        return _split(normalize(text), kind, split_on)
    pieces: list[str] = []
    room = _MOST_GROWTH * max(len(text), _SHORT)
    for number, line in enumerate(_LINES.split(text)):
        if number and pieces[-most:] != [LINE_BREAK] * most:
            pieces.append(LINE_BREAK)
        normalized = normalize(line)
        room -= len(normalized)
        if room < 0:
            raise OptionError(f"the tokenizer's normalization makes a text more than {_MOST_GROWTH} times as long")
        pieces += _split(normalized, kind, split_on)
    return pieces


def _split(normalized: str, kind: str, split_on: str) -> list[str]:
    """Return the words, characters or pieces of a normalized text.

    >>> _split("the  sea", "word", "whitespace"), _split("sea", "char", "space"), _split("the sea", "bpe", "space")
    (['the', 'sea'], ['s', 'e', 'a'], [' the', ' sea'])
    """
    if kind == "char":
        return list(normalized)
    if kind == "bpe":
        return cut(with_line_starts(normalized))
    words = normalized.split(SPLITS[split_on])
    return [word for word in words if word] if split_on == "space" else words


def line_starts(pieces: Iterable[str]) -> list[int]:
    r"""Return the places of the pieces that begin a line.

    >>> line_starts(["the", "sea", "\n", "\n", "the"])
    [0, 4]
    """
    starts, begins = [], True
    for place, piece in enumerate(pieces):
        if begins and piece != LINE_BREAK:
            starts.append(place)
        begins = piece == LINE_BREAK
    return starts


def check_end_text(text: object, *, has_end: bool) -> str:
    """Return what ``<end>`` is written as; raises OptionError if it cannot be that, or there is no such token."""
    if not isinstance(text, str) or text not in END_TEXTS:
        raise OptionError("a tokenizer's 'end_text' is empty, a line break, or two")
    if text and not has_end:
        raise OptionError("a tokenizer's 'end_text' is that of its special token 'end', which it lacks")
    return text


class LineEndEncoder:
    r"""Encodes line breaks as the ids ``between`` two documents, other pieces with ``encoder``.

    Several line breaks are as one: a running text has no empty documents.

    >>> from genrun.tokenizer.words.encoder import WordEncoder
    >>> LineEndEncoder(WordEncoder({"sea": 4, "sky": 5}, unk=None), (3, 2)).encode(["sea", "\n", "\n", "sky"])
    ((4, 3, 2, 5), ())
    """

    def __init__(self, encoder: Encoder, between: tuple[int, ...]) -> None:
        self._encoder = encoder
        self._between = between

    def encode(self, pieces: Iterable[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Return the ids of ``pieces``, and those that are unknown."""
        ids: list[int] = []
        unknown: list[str] = []
        for is_break, run in groupby(pieces, LINE_BREAK.__eq__):
            if is_break:
                ids += self._between
                continue
            found, missing = self._encoder.encode(run)
            ids += found
            unknown += missing
        return tuple(ids), tuple(unknown)
