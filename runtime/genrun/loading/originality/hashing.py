"""Hashes of words and of runs of words, for whole numbers of Python and for arrays alike.

A run is hashed in two parts: its beginning, all words but the last, and its last word. So the last words that
complete a run can be found from its beginning. All numbers are unsigned and have 64 bits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

__all__ = ["FACTOR", "LINE", "MASK", "beginnings", "extended", "mixed", "salt", "word_hash"]

MASK = (1 << 64) - 1
FACTOR = 0x9E3779B97F4A7C55  # odd, of the polynomial
LINE = 0xD1B54A32D192ED03  # in the place of a length: the run is a whole document
_STEP = 0xBF58476D1CE4E5B9

Hashes = NDArray[np.uint64]


def word_hash(word: str) -> int:
    """Return the hash of a word: the first eight bytes of BLAKE2b, the lowest first.

    >>> hex(word_hash("sea"))
    '0x718458da7add7799'
    """
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8, person=b"genrun").digest(), "little")


@overload
def extended(run: int, word: int) -> int: ...
@overload
def extended(run: Hashes, word: Hashes) -> Hashes: ...
def extended(run: int | Hashes, word: int | Hashes) -> int | Hashes:
    """Return the polynomial of a run and one more word; that of no word is 0."""
    if isinstance(run, np.ndarray):
        return run * np.uint64(FACTOR) + np.asarray(word, np.uint64)  # an array drops the carry, without a warning
    return (run * FACTOR + int(word)) & MASK


def beginnings(words: Sequence[int]) -> list[int]:
    """Return the polynomials of the first 0, 1, … words of a run.

    >>> beginnings([3, 4]) == [0, 3, extended(3, 4)]
    True
    """
    run, found = 0, [0]
    for word in words:
        run = (run * FACTOR + word) & MASK
        found.append(run)
    return found


def salt(length: int) -> int:
    """Return what the polynomial of a beginning is combined with if its run has ``length`` words."""
    return (length * _STEP) & MASK


@overload
def mixed(value: int) -> int: ...
@overload
def mixed(value: Hashes) -> Hashes: ...
def mixed(value: int | Hashes) -> int | Hashes:
    """Return ``value`` with all its bits mixed (the last step of SplitMix64: Steele et al., 2014).

    >>> mixed(1) == int(mixed(np.array([1], np.uint64))[0])
    True
    """
    if isinstance(value, np.ndarray):
        value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return value ^ (value >> np.uint64(31))
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)
