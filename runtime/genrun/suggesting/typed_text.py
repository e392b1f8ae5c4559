"""Text that is still being typed: which of its words are finished, and what the last one may become."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genrun.tokenizer.tokenizer import Tokenizer

__all__ = ["PrefixIndex", "TypedText", "TypedTextReader"]


class PrefixIndex:
    """The words of a vocabulary in alphabetical order, where those that begin alike stand side by side.

    ``ids`` are the entries of the ``vocabulary`` that are to be found.

    >>> index = PrefixIndex(["<pad>", "them", "a", "the"], range(1, 4))
    >>> index.starting_with("the").tolist(), index.starting_with("b").tolist()
    ([3, 1], [])
    """

    __slots__ = ("_ids", "_words")

    def __init__(self, vocabulary: Sequence[str], ids: Iterable[int]) -> None:
        ordered = sorted(ids, key=vocabulary.__getitem__)
        self._words = [vocabulary[token] for token in ordered]
        self._ids = np.array(ordered, np.int64)
        self._ids.flags.writeable = False

    def starting_with(self, prefix: str) -> NDArray[np.int64]:
        """Return the ids of the words that begin with ``prefix``, int64 ``[found]``, in alphabetical order."""
        first = bisect_left(self._words, prefix)
        after = _successor(prefix)
        last = bisect_left(self._words, after, first) if after else len(self._words)
        return self._ids[first:last]


class TypedText(NamedTuple):
    """A text as far as it has been typed.

    ``pieces`` are its finished words, normalized; ``unfinished`` is the word that it breaks off in, empty if none.
    """

    pieces: tuple[str, ...]
    unfinished: str


class TypedTextReader:
    """Tells the finished words of a text from the one that is still being typed; may be shared by threads.

    A word is unfinished as long as a letter typed next would belong to it. To find out, a letter is appended and the
    text is split with it, so that whatever the normalization does with white space and punctuation is heeded. Marks
    that such a letter would join (a dash that stands alone; ``don’``, where the mark is parted until the ``t`` comes)
    are finished unless a longer word of the vocabulary begins so. Characters are always finished.

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
        self._made_index: PrefixIndex | None = None
        self._letter = self._find_letter()

    def candidates(self, prefix: str) -> NDArray[np.int64]:
        """Return the ids of the words that begin with ``prefix``, int64 ``[found]``."""
        return self._index.starting_with(prefix)

    def read(self, text: str) -> TypedText:
        """Return the finished words of ``text`` and the unfinished one; a ``<start>`` that opens it is understood."""
        text = self._tokenizer.without_start(text)
        pieces = tuple(self._tokenizer.split(text))
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

    @property
    def _index(self) -> PrefixIndex:
        """Made when it is first needed; twice, where two threads need it at once, rather than under a lock."""
        if self._made_index is None:
            self._made_index = PrefixIndex(self._tokenizer.vocabulary, self._offered)
        return self._made_index

    def _find_letter(self) -> str:
        """Return a character of words that the tokenizer takes as it is, "" for characters or if there is none."""
        if self._tokenizer.kind == "char":
            return ""
        words = self._tokenizer.vocabulary[len(self._tokenizer.specials) :]
        for letter in dict.fromkeys(word[:1] for word in words):
            if all(self._tokenizer.split(letter * times) == [letter * times] for times in (1, 2)):
                return letter
        return ""


def _successor(prefix: str) -> str:
    """Return the text right behind all those that begin with ``prefix``, empty if nothing is behind them."""
    head = prefix.rstrip("\U0010ffff")
    return head[:-1] + chr(ord(head[-1]) + 1) if head else ""
