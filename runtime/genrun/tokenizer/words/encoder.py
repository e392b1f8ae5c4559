"""Encodes words or characters: each piece of a text is one entry of the vocabulary, or unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, cast

__all__ = ["Encoder", "WordEncoder"]


class Encoder(Protocol):
    """Gives the pieces of normalized texts their ids."""

    def encode(self, pieces: Iterable[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Return the ids of ``pieces``, and those that are unknown."""


class WordEncoder:
    """Encodes words or characters by their ``ids``; unknown ones become ``unk``, or are left out if it is None.

    >>> WordEncoder({"i": 4, "love": 5}, unk=1).encode(["i", "love", "her"])
    ((4, 5, 1), ('her',))
    """

    def __init__(self, ids: Mapping[str, int], unk: int | None) -> None:
        self._ids = ids
        self._unk = unk

    def encode(self, pieces: Iterable[str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """Return the ids of ``pieces``, and those that are unknown."""
        pieces = tuple(pieces)
        found = tuple(map(self._ids.get, pieces))
        if None not in found:
            return cast(tuple[int, ...], found), ()
        unknown = tuple([piece for piece, token in zip(pieces, found, strict=True) if token is None])
        filled = [self._unk if token is None else token for token in found]
        return tuple([token for token in filled if token is not None]), unknown
