"""Finds the words that begin a sentence, where a capital letter says nothing about how a word is written."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["beginnings"]

_END = frozenset(".!?…。！？\n")
_ANY_END = re.compile("[.!?…。！？\r\n]").search


def beginnings(words: Sequence[str], text: str) -> list[int]:
    """Return the places in ``words``, the words of ``text``, of those that begin the text or follow ``. ! ? …``.

    Marks between do not count. After an abbreviation, a word may begin a sentence, so it is returned; so is one after
    a line break that is a word.

    >>> words = "“ the ferry is late . ” ( and full ! ) it goes".split()
    >>> [words[at] for at in beginnings(words, " ".join(words))]
    ['the', 'and', 'it']
    """
    if words and words[0][0].isalnum():
        end = _ANY_END(text)
        if end is None or end.end() >= len(text) - 1:  # the usual cases, fast: no end, or only the last one
            return [0]
    found, starts = [], True
    for at, word in enumerate(words):
        if starts and (word.isalnum() or any(map(str.isalnum, word))):
            found.append(at)
            starts = False
        starts = starts or word[-1] in _END
    return found
