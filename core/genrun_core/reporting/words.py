"""What texts are compared by: runs of words, characters, and faults that words and marks show."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from genrun.tokenizer.plain_words import folded, word_pattern, words_of

__all__ = ["Split", "characters_of", "has_doubled_words", "has_odd_quotation_marks", "ngrams"]

Split = Callable[[str], list[str]]  # a text to the units in which it is compared

_QUOTATION_MARKS = re.compile('["“”„]')


def characters_of(text: str) -> list[str]:
    """Return the characters of the words of ``text``, with ``_`` between words: for names, which are single words.

    >>> "".join(characters_of("Mary-Ann Ó"))
    'mary_ann_ó'
    """
    return list("_".join(words_of(text)))


def ngrams(words: Sequence[str], shortest: int = 1, longest: int = 3) -> list[str]:
    """Return the runs of ``shortest`` to ``longest`` words, each joined by spaces.

    >>> ngrams(["a", "b", "c"], 1, 2)
    ['a', 'b', 'c', 'a b', 'b c']
    """
    return [
        " ".join(words[start : start + length])
        for length in range(shortest, longest + 1)
        for start in range(len(words) - length + 1)
    ]


def has_doubled_words(text: str) -> bool:
    """Return whether a word stands twice with only white space between, in any case.

    >>> has_doubled_words("To the The sea"), has_doubled_words("No, no")
    (True, False)
    """
    previous, end = "", 0
    whole = folded(text)
    for found in word_pattern().finditer(whole):
        if found[0] == previous and found.start() > end and whole[end : found.start()].isspace():
            return True
        previous, end = found[0], found.end()
    return False


def has_odd_quotation_marks(text: str) -> bool:
    """Return whether a quotation mark has no partner: an odd number of ``"``, or “ and ” that do not pair.

    Apostrophes and single quotation marks do not count. After a low „ the mark “ closes, as in German.

    >>> has_odd_quotation_marks('To "The" Game Of Thrones "'), has_odd_quotation_marks("“Don’t” and „so“")
    (True, False)
    """
    straight = low = high = 0
    for mark in _QUOTATION_MARKS.findall(text):
        if mark == '"':
            straight += 1
        elif mark == "„":
            low += 1
        elif low:
            low -= 1
        elif mark == "“":
            high += 1
        elif high:
            high -= 1
        else:
            return True
    return bool(straight % 2 or low or high)
