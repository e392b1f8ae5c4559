"""The nucleus of a row: its most likely tokens that together have the probability p, found without sorting a row."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genrun.sampling.weights import NotANumberError, check_numbers

__all__ = ["drawn_of_nucleus", "least_weights"]

_SHARE = 1 / 2048  # of the probability that may be left out, which few tokens of a nucleus are below
_FEW = 512  # weights, which are sorted without looking for the likely ones


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
        check_numbers(total := sums[-1:])
        one: NDArray[np.float64] = falling.take(sums.searchsorted(min(p, 1.0) * total))
        return np.maximum(one, 1)[:, None]
    if weights.shape[1] <= _FEW:
        rising = weights.copy()
        rising.sort(axis=1)
        falling = rising[:, ::-1]
        cumulative = np.add.accumulate(falling, axis=1)
        totals = cumulative[:, -1]
        check_numbers(totals)
        places = (cumulative < min(p, 1.0) * totals[:, None]).sum(axis=1)
        few: NDArray[np.float64] = np.maximum(falling[np.arange(len(places)), places], 1)[:, None]
        return few
    least = np.empty((len(weights), 1))
    for row, own in enumerate(weights):
        least[row] = _likely(own, min(p, 1.0))[2]
    return least


def drawn_of_nucleus(weights: NDArray[np.float64], p: float, draws: NDArray[np.floating]) -> NDArray[np.intp]:
    """Return the chosen column of each row: what inverse CDF chooses if all weights outside the nucleus are 0.

    ``weights`` and ``p`` as for :func:`least_weights`; ``draws``: ``[batch]`` in [0, 1). Returns ``[batch]``. Raises
    NotANumberError for a NaN.

    >>> drawn_of_nucleus(np.array([[1.0, 2.0, 4.0, 1.0]]), 0.6, np.array([0.3, 0.4])[:1]).tolist()
    [1]
    """
    found = np.empty(len(weights), np.intp)
    for row, own in enumerate(weights):
        places, likely, least = _likely(own, min(p, 1.0))
        kept = (likely >= least).nonzero()[0]
        sums = np.add.accumulate(likely.take(kept))
        found[row] = places[kept[sums.searchsorted(draws[row] * sums[-1], "right")]]
    return found


def _likely(weights: NDArray[np.float64], p: float) -> tuple[NDArray[np.intp], NDArray[np.float64], float]:
    """Return where the likely ``weights`` of a row are, these weights, and the least one of the nucleus."""
    total = np.add.reduce(weights)
    if total != total:
        raise NotANumberError("a logit is not a number")
    wanted, bound = p * total, (1 - p) * _SHARE * total
    while True:
        places = (weights >= bound).nonzero()[0]
        likely = weights.take(places)
        if bound == 0 or np.add.reduce(likely) >= wanted:
            break
        bound = bound / 8 if bound > 1 else 0.0
    falling = np.sort(likely)[::-1]
    return places, likely, max(falling.item(np.add.accumulate(falling).searchsorted(wanted)), 1.0)
