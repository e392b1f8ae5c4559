"""Encodes pieces of text as subwords: byte pair encoding, from merges that a training has learnt.

A piece begins as its bytes. Of all neighbours that a merge names, those of the first merge are joined, the leftmost
first, until no merge applies (Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units", 2016).
Every byte is in the vocabulary, so that any text can be encoded.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from itertools import pairwise

from genrun.checks.short_text import shorten
from genrun.errors import OptionError
from genrun.tokenizer.subwords.byte_letters import LETTERS, is_bytes

__all__ = ["Merge", "SubwordEncoder"]

_KEPT = 1 << 16  # pieces whose ids are kept
_LONGEST_KEPT = 64  # characters
_LONG = 48  # bytes from which a heap of merges is faster than a search for each
_NEVER = 1 << 62

Merge = tuple[str, str]


class SubwordEncoder:
    """Encodes with a ``vocabulary``, in letters of bytes after its special tokens, and ``merges``, the first first.

    Raises OptionError if the vocabulary lacks a byte, or a part or the result of a merge.

    >>> vocabulary = ["<pad>", *LETTERS, "Ġt", "he", "Ġthe"]
    >>> encoder = SubwordEncoder(vocabulary, 1, [("Ġ", "t"), ("h", "e"), ("Ġt", "he")])
    >>> [vocabulary[token] for token in encoder.encode([" then"])[0]]
    ['Ġthe', 'n']
    """

    def __init__(self, vocabulary: Sequence[str], first: int, merges: Iterable[Merge]) -> None:
        if not is_bytes(vocabulary[first:]):
            raise OptionError("a vocabulary of subwords has letters of bytes only, after its special tokens")
        ids = {text: token for token, text in enumerate(vocabulary) if token >= first}
        lacking = [byte for byte, letter in enumerate(LETTERS) if letter not in ids]
        if lacking:
            raise OptionError(f"a vocabulary of subwords has all 256 bytes; this one lacks the byte {lacking[0]}")
        self._of_byte = [ids[letter] for letter in LETTERS]
        self._ranks: dict[tuple[int, int], int] = {}
        self._results: list[int] = []  # by rank
        for left, right in merges:
            if left not in ids or right not in ids or left + right not in ids:
                raise OptionError(f"the vocabulary lacks a part of the merge {shorten(f'{left} {right}')!r}")
            if self._ranks.setdefault((ids[left], ids[right]), len(self._results)) != len(self._results):
                raise OptionError(f"the tokenizer names the merge {shorten(f'{left} {right}')!r} twice")
            self._results.append(ids[left + right])
        self._kept: dict[str, tuple[int, ...]] = {}

    def encode(self, pieces: Iterable[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Return the ids of ``pieces``, and no unknown ones; OptionError for half a character."""
        ids: list[int] = []
        kept = self._kept
        for piece in pieces:
            ids += kept.get(piece) or self._encoded(piece)
        return tuple(ids), ()

    def _encoded(self, piece: str) -> tuple[int, ...]:
        try:
            data = piece.encode()
        except UnicodeEncodeError as error:
            raise OptionError("the input to encode holds half a character (a lone surrogate)") from error
        tokens = [self._of_byte[byte] for byte in data]
        found = tuple(self._merged(tokens) if len(tokens) < _LONG else self._merged_by_heap(tokens))
        if len(piece) <= _LONGEST_KEPT:
            if len(self._kept) >= _KEPT:
                self._kept.clear()
            self._kept[piece] = found
        return found

    def _merged(self, tokens: list[int]) -> list[int]:
        ranks = self._ranks
        while len(tokens) > 1:
            applying = [ranks.get(pair, _NEVER) for pair in pairwise(tokens)]
            rank = min(applying)
            if rank == _NEVER:
                break
            at = applying.index(rank)
            tokens[at : at + 2] = [self._results[rank]]
        return tokens

    def _merged_by_heap(self, tokens: list[int]) -> list[int]:
        """Return the same as :meth:`_merged`, in n log n steps for n tokens."""
        ranks, count = self._ranks, len(tokens)
        after, before = [*range(1, count), -1], [-1, *range(count - 1)]
        heap = [(ranks.get(pair, _NEVER), at) for at, pair in enumerate(pairwise(tokens))]
        heap = [entry for entry in heap if entry[0] != _NEVER]
        heapq.heapify(heap)
        while heap:
            rank, at = heapq.heappop(heap)
            right = after[at]
            if right < 0 or ranks.get((tokens[at], tokens[right])) != rank:  # one of them is merged already
                continue
            tokens[at], tokens[right] = self._results[rank], -1
            after[at] = after[right]
            if after[at] >= 0:
                before[after[at]] = at
            for left in (before[at], at):
                if left >= 0 and after[left] >= 0:
                    new = ranks.get((tokens[left], tokens[after[left]]))
                    if new is not None:
                        heapq.heappush(heap, (new, left))
        return [token for token in tokens if token >= 0]
