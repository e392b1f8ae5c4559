"""Finds the last subwords of a prompt that one longer subword may stand for, once the text goes on.

A corpus writes "president" as one subword, never as "pres" and "ident". After a prompt that ends in "pres", a model
is therefore not given that subword; it chooses one that begins with those letters instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from genrun.tokenizer.encoding import OpenEnd
from genrun.tokenizer.prefixes import PrefixIndex
from genrun.tokenizer.subwords.pieces import open_piece
from genrun.tokenizer.words.encoder import Encoder

__all__ = ["OpenEndFinder"]


class OpenEndFinder:
    """Finds the open ends of texts of ``encoder``, whose ``vocabulary`` begins with ``first`` special tokens.

    >>> from genrun.tokenizer.subwords.byte_letters import LETTERS
    >>> from genrun.tokenizer.subwords.encoder import SubwordEncoder
    >>> vocabulary = [*LETTERS, "Ġt", "he", "Ġthe"]
    >>> finder = OpenEndFinder(SubwordEncoder(vocabulary, 0, [("Ġ", "t"), ("h", "e"), ("Ġt", "he")]), vocabulary, 0)
    >>> finder.find((), [" to", " th"])  # " the" may follow " to"
    OpenEnd(finished=(256, 111), open=(256, 104))
    >>> finder.find((), [" to", " a"])  # nothing begins with " a"
    OpenEnd(finished=(256, 111, 32, 97), open=())
    """

    def __init__(self, encoder: Encoder, vocabulary: Sequence[str], first: int) -> None:
        self._encoder = encoder
        self._vocabulary = vocabulary
        self._first = first

    def beginning_with(self, letters: str) -> NDArray[np.int64]:
        """Return the ids of the subwords that begin with ``letters`` of bytes, int64 ``[found]``."""
        return self._index.starting_with(letters)

    def find(self, head: tuple[int, ...], pieces: Sequence[str]) -> OpenEnd:
        """Return the end of the ids ``head`` followed by those of ``pieces``; at least one id is finished."""
        before, last = open_piece(pieces)
        ids = [*head, *self._encoder.encode(before)[0]]
        count = len(ids)
        ids += self._encoder.encode([last])[0]
        letters = "".join([self._vocabulary[token] for token in ids[count:]])
        while count < len(ids):
            found, token = self.beginning_with(letters), ids[count]
            if count and (len(found) > 1 or (len(found) == 1 and found[0] != token)):
                break
            letters = letters[len(self._vocabulary[token]) :]
            count += 1
        return OpenEnd(tuple(ids[:count]), tuple(ids[count:]))

    @cached_property
    def _index(self) -> PrefixIndex:
        """The index, made on first use; without a lock, two threads may both make it, which does no harm."""
        return PrefixIndex(self._vocabulary, range(self._first, len(self._vocabulary)))
