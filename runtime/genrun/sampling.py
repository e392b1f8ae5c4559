"""Choosing from logits in NumPy: what the built-in decoders do, for decoders of others too.

All of a batch at once, and in few passes over the logits: these are what takes time, far more than the candidates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["NotANumberError", "inverse_cdf", "log_normalizers", "top_k"]

_UNITS = 2.0**32
_COLUMNS = 5  # for each candidate that is wanted: so that the highest of few columns is below the bound
_HEIGHT = 8  # of a rectangle; taller ones have rows too short for vector instructions
_IDS = 0xFFFFFFFF  # the lower half of a key
_ROWS = 4  # that fit into the cache of a core


class NotANumberError(ValueError):
    """A logit is NaN, or infinite where it must not be."""


def top_k(logits: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the ids of the ``k`` highest logits, int64 ``[batch, k]``: highest first, equal ones by id.

    ``logits``: ``[batch, vocabulary]``, looked at in float32; ``k``: from 1, the vocabulary at most is returned.
    Raises ValueError for a ``k`` below 1, NotANumberError for a NaN.

    >>> top_k(np.array([[3.0, 1.0, 2.0, 2.0]], np.float32), 3).tolist()
    [[0, 2, 3]]
    """
    logits = np.asarray(logits, np.float32)
    batch, vocabulary = logits.shape
    k = min(k, vocabulary)
    if k < 1:
        raise ValueError(f"k must be 1 or more, not {k}")
    wanted = logits >= _lower_bounds(logits, k)
    found = wanted.reshape(-1).nonzero()[0]  # in all rows, one after another
    rows = found // vocabulary
    counts = np.bincount(rows, minlength=batch)
    keys = _keys(logits.reshape(-1)[found], found - rows * vocabulary)
    table = np.full((batch, counts.max(initial=k)), np.iinfo(np.int64).max)
    table[np.arange(table.shape[1]) < counts[:, None]] = keys
    table.sort(axis=1)
    ids: NDArray[np.int64] = table[:, :k] & _IDS
    return ids


def _lower_bounds(logits: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """Return numbers that the ``k`` highest of each row are not below, and few others: float32 ``[batch, 1]``.

    A row is laid out as a rectangle. The highest logits of its columns are that many different ones, so that the
    k-th of them is not above the k-th of all.
    """
    highest, few = logits, max(_COLUMNS * k, _HEIGHT)
    while highest.shape[1] >= 2 * few:
        highest = _highest_of_columns(highest, min(_HEIGHT, highest.shape[1] // few))
    if highest is logits:
        highest = logits.copy()
    if np.isnan(highest).any():
        raise NotANumberError("a logit is not a number")
    last = highest.shape[1] - k
    highest.partition(last, axis=1)
    return highest[:, last, None]


def _highest_of_columns(values: NDArray[np.float32], height: int) -> NDArray[np.float32]:
    """Return the highest of each column of rows that are laid out as rectangles: ``[batch, columns]``."""
    batch, size = values.shape
    columns = size // height
    end = columns * height
    highest: NDArray[np.float32] = values[:, :end].reshape(batch, height, columns).max(axis=1)
    rest = size - end  # below the height, and so fewer than there are columns
    np.maximum(highest[:, :rest], values[:, end:], out=highest[:, :rest])
    return highest


def _keys(logits: NDArray[np.float32], ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return whole numbers that are in order as candidates are: falling logits, equal ones by id.

    The bits of a float, read as a whole number, are in the order of the floats if they are positive, and in the
    opposite one if they are negative.
    """
    bits = (logits + np.float32(0.0)).view(np.int32)  # a zero has one sign
    bits ^= (bits >> 31) & 0x7FFFFFFF
    keys = (~bits).astype(np.int64)
    keys <<= 32
    keys |= ids
    return keys


def inverse_cdf(
    logits: NDArray[np.float32], draws: NDArray[np.floating], temperature: float = 1.0
) -> NDArray[np.intp]:
    """Return the column chosen in each row: the first whose cumulative probability exceeds the draw.

    ``logits``: ``[batch, candidates]``, ``draws``: ``[batch]`` in [0, 1); returns ``[batch]``. The probabilities are
    softmax(logits / temperature). (Inverse transform sampling: Devroye, "Non-Uniform Random Variate Generation",
    1986, chapter III.2.) A candidate of probability 0 is never chosen. Raises ValueError for a temperature that
    is not above 0, NotANumberError for a NaN and for a highest logit that is infinite.

    The highest candidate has the weight 2**32, and all are rounded to whole numbers, so that their sums are exact in
    any order: a model file's own graph, which adds otherwise and has another exp, then chooses the same.

    >>> inverse_cdf(np.log(np.array([[0.2, 0.3, 0.5]], np.float32)), np.array([0.4])).tolist()
    [1]
    """
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0, not {temperature!r}")
    with np.errstate(all="ignore"):  # beyond any float is minus infinity: probability 0; NaN is looked for below
        weights = (logits - logits.max(axis=1, keepdims=True)).astype(np.float64)
        weights /= temperature
        np.exp(weights, out=weights)
        weights *= _UNITS
        np.rint(weights, out=weights)
    cumulative = np.cumsum(weights, axis=1, out=weights)
    totals = cumulative[:, -1]
    if np.isnan(totals).any():
        raise NotANumberError("a logit is not a number")
    passed: NDArray[np.intp] = (cumulative <= (draws * totals)[:, None]).sum(axis=1)
    return passed


def log_normalizers(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return log Σ exp(logits) of each row, float64 ``[batch]``: a logit less this is a log-probability.

    ``logits``: ``[batch, vocabulary]``, looked at in float32. It is NaN for a row with a NaN.

    >>> [round(float(x), 4) for x in log_normalizers(np.zeros((1, 4), np.float32))]
    [1.3863]
    """
    logits = np.asarray(logits, np.float32)
    highest = logits.max(axis=1, keepdims=True)
    totals = np.empty(len(logits))
    with np.errstate(all="ignore"):  # infinity less infinity is NaN
        for first in range(0, len(logits), _ROWS):
            part = slice(first, first + _ROWS)
            weights = logits[part] - highest[part]
            np.exp(weights, out=weights).sum(axis=1, dtype=np.float64, out=totals[part])
        result: NDArray[np.float64] = np.log(totals) + highest[:, 0]
    return result
