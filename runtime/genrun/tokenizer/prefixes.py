"""Finds the entries of a vocabulary that begin with a text."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["PrefixIndex"]


class PrefixIndex:
    """The words of a vocabulary in alphabetical order, so that words with the same prefix are neighbours.

    ``ids``: the entries of the ``vocabulary`` that can be found.

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
        last = bisect_right(self._words, prefix, first, key=lambda word: word[: len(prefix)])
        return self._ids[first:last]
