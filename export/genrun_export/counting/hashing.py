"""A hash table that a graph can look keys up in with a fixed number of operators: each key has four possible slots.

(Fotakis et al., "Space Efficient Hash Tables with Worst Case Constant Access Time", 2005: d-ary cuckoo hashing.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["EMPTY", "Placed", "place_keys"]

EMPTY = -1  # the key of a free slot
_CHOICES = 4
_LOAD = 0.85  # the share of the slots that are used; four choices reach 0.97 with more patience
_ROUNDS = 500


class Placed(NamedTuple):
    """Keys in slots: ``keys`` int64 ``[slots]``, EMPTY in free ones; ``slots`` int64: where each key was placed.

    A key is in one of the slots ``key % primes``; ``primes`` int64 ``[4]``.
    """

    keys: NDArray[np.int64]
    slots: NDArray[np.int64]
    primes: NDArray[np.int64]


def place_keys(keys: NDArray[np.int64]) -> Placed:
    """Return the distinct ``keys``, none of them negative, placed in slots; the same keys are placed the same way."""
    size = max(int(len(keys) / _LOAD), 16)
    while True:
        primes = _primes_up_to(size)
        if (found := _tried(keys, primes)) is not None:
            placed = np.full(int(primes[0]), EMPTY)
            placed[found] = keys
            return Placed(placed, found, primes)
        size = size * 11 // 10


def _tried(keys: NDArray[np.int64], primes: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Return a slot for each key, None where that takes too long.

    In each round, every key without a slot takes one of its four, and who had it looks for another.
    """
    random = np.random.default_rng(0)
    choices = keys[:, None] % primes
    holder, waiting = np.full(int(primes[0]), EMPTY), np.arange(len(keys))
    for _ in range(_ROUNDS):
        if not len(waiting):
            slots = np.empty(len(keys), np.int64)
            slots[holder[holder >= 0]] = np.flatnonzero(holder >= 0)
            return slots
        free = (holder[choices[waiting]] == EMPTY) * 2.0  # a free slot is taken before one that is not
        chosen = (free + random.random(free.shape)).argmax(axis=1)
        wanted = choices[waiting, chosen]
        before = holder[np.unique(wanted)]
        holder[wanted] = waiting
        waiting = np.concatenate([waiting[holder[wanted] != waiting], before[before >= 0]])
    return None


def _primes_up_to(limit: int) -> NDArray[np.int64]:
    """Return the four largest primes up to ``limit``, the largest first.

    >>> _primes_up_to(16).tolist()
    [13, 11, 7, 5]
    """
    found: list[int] = []
    while len(found) < _CHOICES:
        if all(limit % divisor for divisor in range(2, int(limit**0.5) + 1)):
            found.append(limit)
        limit -= 1
    return np.array(found, np.int64)
