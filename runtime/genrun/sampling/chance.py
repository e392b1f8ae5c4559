"""Chance for stages: numbers that follow from a row's draw, but are independent of the choice that it makes."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["own_draws"]


def own_draws(draws: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    """Return float32 ``[batch]`` in [0, 1): for each draw another uniform number, always the same for one ``name``.

    The 24 bits of a draw are mixed (SplitMix64: Steele et al., "Fast splittable pseudorandom number generators",
    2014) from a beginning that depends on ``name``. So a chain needs one draw for a token, however many stages use
    chance, and a text has the same draws with and without them.

    >>> draws = np.array([0.25, 0.75], np.float32)
    >>> bool((own_draws(draws, "coin") == own_draws(draws, "coin")).all()), own_draws(draws, "coin") == draws
    (True, array([False, False]))
    """
    salt = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")
    bits = (np.asarray(draws, np.float64) * 2.0**24).astype(np.uint64) ^ np.uint64(salt)
    bits += np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    mixed: NDArray[np.float32] = ((bits >> np.uint64(40)).astype(np.float64) / 2.0**24).astype(np.float32)
    return mixed
