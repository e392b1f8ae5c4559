"""Probabilities as whole numbers, whose sums are exact in any order: what is drawn from, and what top-p adds up."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["UNITS", "NotANumberError", "drawn", "drawn_above", "exact_weights", "least_weights"]

UNITS = 2.0**32
_UNITS = np.array(UNITS)  # operators take an array sooner than a number
_FAR, _LEAST_TEMPERATURE = 1e30, 1e-200  # within them, a finite highest logit makes nothing overflow
_SHARE = 1 / 512  # of the probability that may be left out, which few tokens of a nucleus are below
_FEW = 512  # weights, which are sorted without looking for the likely ones
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


def drawn_above(
    weights: NDArray[np.float64], least: NDArray[np.float64], draws: NDArray[np.floating]
) -> NDArray[np.intp]:
    """Return what :func:`drawn` returns if the weights of each row that are below ``least``, ``[batch, 1]``, are 0.

    >>> drawn_above(np.array([[1.0, 2.0, 4.0, 1.0]]), np.array([[2.0]]), np.array([0.5])).tolist()
    [2]
    """
    found = np.empty(len(weights), np.intp)
    for row, own in enumerate(weights):
        places = (own >= least[row]).nonzero()[0]
        sums = np.add.accumulate(own.take(places))
        found[row] = places[sums.searchsorted(draws[row] * sums[-1], "right")]
    return found


def least_weights(weights: NDArray[np.float64], p: float) -> NDArray[np.float64]:
    """Return the least weight of the most likely tokens that have ``p`` of a row's sum, or just more: ``[batch, 1]``.

    ``weights``: whole numbers, ``[batch, candidates]``; the highest of a row is above 0. Of a row of more than 512,
    only the likely weights are sorted: those above a bound that is lowered until they reach ``p``. Raises
    NotANumberError for a NaN.

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
        falling, wanted = _likely(own, min(p, 1.0))
        least[row] = max(falling.item(np.add.accumulate(falling).searchsorted(wanted)), 1)
    return least


def _likely(weights: NDArray[np.float64], p: float) -> tuple[NDArray[np.float64], np.float64]:
    """Return the highest ``weights`` of a row, falling, whose sum is ``p`` of all or more, and ``p`` of all."""
    total = np.add.reduce(weights)
    if total != total:
        raise NotANumberError("a logit is not a number")
    wanted, bound = p * total, (1 - p) * _SHARE * total
    while True:
        likely = weights.take((weights >= bound).nonzero()[0])
        if bound == 0 or np.add.reduce(likely) >= wanted:
            likely.sort()
            return likely[::-1], wanted
        bound = bound / 8 if bound > 1 else 0.0
