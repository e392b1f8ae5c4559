"""Probabilities as whole numbers, whose sums are exact in any order: what is drawn from."""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["UNITS", "NotANumberError", "check_numbers", "drawn", "exact_weights", "own_draws"]

UNITS = 2.0**32
_UNITS = np.array(UNITS)  # operators take an array sooner than a number
_FAR, _LEAST, _MOST = 1e30, 1e-200, 1e200  # logits and temperatures within which nothing overflows
_LEAST_EXPONENT = -700.0  # whose exp does not underflow, and whose weight is 0
_FEW = 512  # weights, which are added up one after another
_BLOCK = 128  # columns that are added up together


class NotANumberError(ValueError):
    """A logit is NaN, or infinite where it must not be."""


def exact_weights(
    logits: NDArray[np.float32], temperature: float = 1.0, highest: NDArray[np.float32] | None = None
) -> NDArray[np.float64]:
    """Return softmax(logits / temperature), times a number for each row, as whole numbers; NaN stays NaN.

    ``highest``: float32 ``[batch, 1]``, the highest logit of each row if it is known.
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0, not {temperature!r}")
    if highest is None:
        highest = np.maximum.reduce(logits, axis=1, keepdims=True)
    if len(logits) == 1 and -math.inf < highest.item() < _FAR and _LEAST < temperature < _MOST:
        return _exact(logits, temperature, highest, least=_LEAST_EXPONENT)
    with np.errstate(all="ignore"):  # overflow gives minus infinity, probability 0
        return _exact(logits, temperature, highest)


def _exact(
    logits: NDArray[np.float32], temperature: float, highest: NDArray[np.float32], least: float | None = None
) -> NDArray[np.float64]:
    weights: NDArray[np.float64] = (logits - highest).astype(np.float64)
    if temperature != 1:
        weights /= temperature
    if least is not None:
        np.maximum(weights, least, out=weights)
    np.exp(weights, weights)
    weights *= _UNITS
    return np.rint(weights, weights)


def drawn(weights: NDArray[np.float64], draws: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return what :func:`inverse_cdf` returns, for weights of :func:`exact_weights`, which are overwritten."""
    if weights.shape[1] > _FEW:
        return _drawn_of_many(weights, draws)
    passed: NDArray[np.intp]
    if len(weights) == 1:
        sums = np.add.accumulate(weights[0])
        if not sums.size:
            raise NotANumberError("a row has no candidates")
        check_numbers(total := sums[-1:])
        passed = sums.searchsorted(draws * total, "right")
        return passed
    cumulative = np.add.accumulate(weights, axis=1, out=weights)
    totals = cumulative[:, -1]
    check_numbers(totals)
    passed = (cumulative <= (draws * totals)[:, None]).sum(axis=1)
    return passed


def check_numbers(totals: NDArray[np.float64]) -> None:
    """Raise NotANumberError if one of the sums ``[batch]`` is NaN."""
    total = totals.item() if len(totals) == 1 else float(totals.sum())
    if total != total:
        raise NotANumberError("a logit is not a number")


def _drawn_of_many(weights: NDArray[np.float64], draws: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return the same: first the block of columns is found, then the column in it."""
    batch, width = weights.shape
    end = width - width % _BLOCK
    sums = np.empty((batch, end // _BLOCK + 1))
    weights[:, :end].reshape(batch, end // _BLOCK, _BLOCK).sum(axis=2, out=sums[:, :-1])
    weights[:, end:].sum(axis=1, out=sums[:, -1])
    cumulative = np.add.accumulate(sums, axis=1)
    totals = cumulative[:, -1]
    check_numbers(totals)
    targets = (draws * totals)[:, None]
    blocks = (cumulative <= targets).sum(axis=1)
    passed = np.empty(batch, np.intp)
    for row, block in enumerate(blocks.tolist()):
        before = cumulative[row, block] - sums[row, block]
        own = np.add.accumulate(weights[row, block * _BLOCK : (block + 1) * _BLOCK]) + before
        passed[row] = block * _BLOCK + own.searchsorted(targets[row, 0], side="right")
    return passed


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
