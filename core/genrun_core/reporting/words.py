"""The one form in which texts are compared: their words, without marks and without regard to case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

__all__ = ["Split", "characters_of", "has_doubled_words", "has_odd_quotation_marks", "ngrams", "words_of"]

Split = Callable[[str], list[str]]  # a text to the units in which it is compared

# Neither white space nor a mark: ASCII punctuation with its symbols, that of Latin-1 and Devanagari, the general one,
# the ideographic and full-width ones. Any other character is part of a word, combining marks and joiners included.
_MARKS = (
    r"!-/:-@\[-`{-~¡«·»¿।॥\u2010-\u2027\u2030-\u205e"
    r"\u3000-\u303f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65"
)
# Scripts without spaces between words: Thai and Lao, Myanmar, Khmer, kana, Chinese characters.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u30ff"
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_SPACED = rf"[^\s{_MARKS}{_UNSPACED}]+"
_WORD = re.compile(rf"[{_UNSPACED}]|{_SPACED}(?:['’]{_SPACED})*")
_QUOTATION_MARKS = re.compile('["“”„]')


def words_of(text: str) -> list[str]:
    """Return the words of ``text``: without case and punctuation, with apostrophes inside a word as ``'``.

    In a script without spaces, every character counts as a word.

    >>> words_of("“Don’t!” SAYS the well-known cat…")
    ["don't", 'says', 'the', 'well', 'known', 'cat']
    >>> words_of("東京 2020")
    ['東', '京', '2020']
    """
    return _WORD.findall(_folded(text).replace("’", "'"))


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
    folded = _folded(text)
    for found in _WORD.finditer(folded):
        if found[0] == previous and found.start() > end and folded[end : found.start()].isspace():
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


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
