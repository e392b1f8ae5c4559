"""The three discounts of modified Kneser-Ney smoothing, from counts of counts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["discounts", "taken_off"]

_USUAL = np.array([0.5, 1.0, 1.5])  # where the counts of counts say nothing
_LEAST = 0.05  # a context must leave something to words that have not followed it


def discounts(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what is taken off a count of 1, of 2, and of 3 and more: float64 ``[3]``.

    ``counts``: how often each n-gram of one order was seen; zeros are ignored. A discount that cannot be estimated,
    because too few n-grams are rare, is 0.5, 1 or 1.5.

    (Chen & Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling", 1998, equation 17.)

    >>> discounts(np.array([1, 1, 1, 1, 2, 2, 3, 4])).round(3).tolist()
    [0.5, 1.25, 1.0]
    """
    n1, n2, n3, n4 = np.bincount(np.minimum(counts, 5), minlength=6)[1:5].tolist()
    if not n1 or not n2:
        return _USUAL.copy()
    share = n1 / (n1 + 2 * n2)
    estimates = [
        1 - 2 * share * n2 / n1,
        2 - 3 * share * n3 / n2 if n3 else 0.0,
        3 - 4 * share * n4 / n3 if n3 and n4 else 0.0,
    ]
    usable = [_LEAST <= found < most for found, most in zip(estimates, (1, 2, 3), strict=True)]
    return np.where(usable, estimates, _USUAL)


def taken_off(counts: NDArray[np.int64], discounts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the discount of each count, float64; nothing is taken off 0."""
    return np.concatenate(([0.0], discounts))[np.minimum(counts, 3)]
