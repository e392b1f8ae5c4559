"""Splits a half-typed text into finished words and the unfinished last word, and finds its completions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genrun.tokenizer.prefixes import PrefixIndex
from genrun.tokenizer.tokenizer import Tokenizer

__all__ = ["PrefixIndex", "TypedText", "TypedTextReader"]


class TypedText(NamedTuple):
    """A half-typed text.

    ``pieces``: its finished words, normalized. ``unfinished``: its unfinished last word, empty if none.
    """

    pieces: tuple[str, ...]
    unfinished: str


class TypedTextReader:
    """Separates the finished words of a text from the word that is being typed; threads may share it.

    A word is unfinished if a letter typed next would belong to it. To find out, a letter is appended and the text is
    split again, so the rules of the normalization for white space and punctuation apply. Marks that the letter would
    join (a dash that stands alone; ``don’``, where the mark is separate until the ``t`` comes) are finished, unless a
    longer word of the vocabulary begins with them. Characters are always finished.

    >>> tokenizer = Tokenizer(kind="word", vocabulary=["the", "then", "crime"], specials=[])
    >>> reader = TypedTextReader(tokenizer, range(3))
    >>> reader.read("crime th"), reader.candidates("th").tolist()
    (TypedText(pieces=('crime',), unfinished='th'), [0, 1])
    >>> reader.read("crime th ")
    TypedText(pieces=('crime', 'th'), unfinished='')
    """

    def __init__(self, tokenizer: Tokenizer, ids: Iterable[int]) -> None:
        self._tokenizer = tokenizer
        self._offered = ids
        self._letter = self._find_letter()

    def candidates(self, prefix: str) -> NDArray[np.int64]:
        """Return the ids of the words that begin with ``prefix``, int64 ``[found]``."""
        return self._index.starting_with(prefix)

    def read(self, text: str) -> TypedText:
        """Return the finished words of ``text`` and the unfinished one; ``<start>`` at its beginning is skipped."""
        text = self._tokenizer.without_start(text)
        pieces = tuple(self._tokenizer.split_open(text))
        if not self._letter:
            return TypedText(pieces, "")
        *before, last = self._tokenizer.split(text + self._letter) or [""]
        prefix = last.removesuffix(self._letter)
        if not prefix or prefix == last:
            return TypedText(pieces, "")
        is_word = (*before, prefix) == pieces and any(character.isalnum() for character in prefix)
        if is_word or any(self._tokenizer.vocabulary[token] != prefix for token in self.candidates(prefix)):
            return TypedText(tuple(before), prefix)
        return TypedText(pieces, "")

    @cached_property
    def _index(self) -> PrefixIndex:
        """The index, made on first use; without a lock, two threads may both make it, which does no harm."""
        return PrefixIndex(self._tokenizer.vocabulary, self._offered)

    def _find_letter(self) -> str:
        """Return a letter that the normalization does not change; "" for characters, or if no letter is found."""
        if self._tokenizer.kind == "char":
            return ""
        words = self._tokenizer.vocabulary[len(self._tokenizer.specials) :]
        for letter in dict.fromkeys(word[:1] for word in words):
            if all(self._tokenizer.split(letter * times) == [letter * times] for times in (1, 2)):
                return letter
        return ""
