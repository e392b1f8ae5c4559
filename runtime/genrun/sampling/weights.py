"""Probabilities as whole numbers, whose sums are exact in any order: what is drawn from, and what top-p adds up."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["UNITS", "NotANumberError", "drawn", "exact_weights", "least_weights"]

UNITS = 2.0**32
_UNITS = np.array(UNITS)  # operators take an array sooner than a number
_FAR, _LEAST_TEMPERATURE = 1e30, 1e-200  # within them, a finite highest logit makes nothing overflow
_RANGE = 46  # bits of a weight that do not tell its range: there are 64 ranges from one power of 2 to the next
_FIRST = 0x3FF << 6  # the range of the weight 1
_FEW = 512  # weights, which are sorted as fast as their ranges are added up
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
    if len(logits) == 1 and -math.inf < highest.item() < _FAR and temperature > _LEAST_TEMPERATURE:
        return _exact(logits, temperature, highest)
    with np.errstate(all="ignore"):  # overflow gives minus infinity, probability 0
        return _exact(logits, temperature, highest)


def _exact(logits: NDArray[np.float32], temperature: float, highest: NDArray[np.float32]) -> NDArray[np.float64]:
    weights: NDArray[np.float64] = (logits - highest).astype(np.float64)
    if temperature != 1:
        weights /= temperature
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
        _check_numbers(total := sums[-1:])
        passed = sums.searchsorted(draws * total, "right")
        return passed
    cumulative = np.add.accumulate(weights, axis=1, out=weights)
    totals = cumulative[:, -1]
    _check_numbers(totals)
    passed = (cumulative <= (draws * totals)[:, None]).sum(axis=1)
    return passed


def _check_numbers(totals: NDArray[np.float64]) -> None:
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
    _check_numbers(totals)
    targets = (draws * totals)[:, None]
    blocks = (cumulative <= targets).sum(axis=1)
    passed = np.empty(batch, np.intp)
    for row, block in enumerate(blocks.tolist()):
        before = cumulative[row, block] - sums[row, block]
        own = np.add.accumulate(weights[row, block * _BLOCK : (block + 1) * _BLOCK]) + before
        passed[row] = block * _BLOCK + own.searchsorted(targets[row, 0], side="right")
    return passed


def least_weights(weights: NDArray[np.float64], p: float) -> NDArray[np.float64]:
    """Return the least weight of the most likely tokens that have ``p`` of a row's sum, or just more: ``[batch, 1]``.

    ``weights``: whole numbers, ``[batch, candidates]``; the highest of a row is above 0. Instead of sorting a row
    of more than 512, the function adds up its weights by ranges of their bits, and sorts only those of the range in
    which the sum reaches ``p``. Raises NotANumberError for a NaN.

    >>> least_weights(np.array([[1.0, 2.0, 4.0, 1.0]]), 0.6).tolist()
    [[2.0]]
    """
    if len(weights) == 1 and weights.shape[1] <= _FEW:  # the same, in fewer calls
        falling = np.sort(weights[0])[::-1]
        sums = np.add.accumulate(falling)
        _check_numbers(total := sums[-1:])
        one: NDArray[np.float64] = falling.take(sums.searchsorted(min(p, 1.0) * total))
        return np.maximum(one, 1)[:, None]
    if weights.shape[1] <= _FEW:
        rising = weights.copy()
        rising.sort(axis=1)
        falling = rising[:, ::-1]
        cumulative = np.add.accumulate(falling, axis=1)
        totals = cumulative[:, -1]
        _check_numbers(totals)
        places = (cumulative < min(p, 1.0) * totals[:, None]).sum(axis=1)
        few: NDArray[np.float64] = np.maximum(falling[np.arange(len(places)), places], 1)[:, None]
        return few
    least = np.empty((len(weights), 1))
    for row, own in enumerate(weights):
        wanted = min(p, 1.0) * own.sum()
        if np.isnan(wanted):
            raise NotANumberError("a logit is not a number")
        ranges = ((own + 1).view(np.int64) >> _RANGE) - _FIRST  # the bits of positive floats sort like the floats
        sums = np.bincount(ranges, own)
        above = np.cumsum(sums[::-1])
        place = above.searchsorted(wanted)
        crossed = len(above) - 1 - place
        falling = -np.sort(-own[ranges == crossed])
        last = (np.cumsum(falling) + (above[place] - sums[crossed])).searchsorted(wanted)
        least[row] = max(falling[last], 1)
    return least
