"""Choosing tokens from logits in NumPy: the functions of the built-in decoders, for plugins too.

They work on a whole batch at once, in few passes over the logits: the passes take far more time than the candidates.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from genrun.sampling.nucleus import least_weights
from genrun.sampling.weights import NotANumberError, drawn, exact_weights

__all__ = ["inverse_cdf", "log_normalizers", "top_k", "top_p"]

_COLUMNS = 5  # for each wanted candidate: then few logits besides the candidates reach the lower bound
_HEIGHT = 8  # of a rectangle; in a taller one, rows are too short for vector instructions
_IDS = 0xFFFFFFFF  # the lower half of a key
_OUT = np.float32(-np.inf)
_ROWS = 4  # handled together, since they fit into the cache of a core


def top_k(logits: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the ids of the ``k`` highest logits, int64 ``[batch, k]``: highest first, equal ones by id.

    ``logits``: ``[batch, vocabulary]``, converted to float32. ``k``: 1 or more, limited to the vocabulary.
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
    if batch == 1:
        falling = np.negative(logits.take(found)).argsort(kind="stable")
        one: NDArray[np.int64] = found[falling[:k]][None]
        return one
    rows = found // vocabulary
    counts = np.bincount(rows, minlength=batch)
    keys = _keys(logits.reshape(-1)[found], found - rows * vocabulary)
    table = np.full((batch, counts.max(initial=k)), np.iinfo(np.int64).max)
    table[np.arange(table.shape[1]) < counts[:, None]] = keys
    table.sort(axis=1)
    ids: NDArray[np.int64] = table[:, :k] & _IDS
    return ids


def _lower_bounds(logits: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """Return a lower bound of the ``k`` highest logits of each row, float32 ``[batch, 1]``, that few others reach.

    A row is laid out as a rectangle. The maxima of its columns are different logits of the row, so the k-th highest
    of them is not above the k-th highest logit.
    """
    highest, few = logits, max(_COLUMNS * k, _HEIGHT)
    while highest.shape[1] >= 2 * few:
        highest = _highest_of_columns(highest, min(_HEIGHT, highest.shape[1] // few))
    if highest is logits:
        highest = logits.copy()
    highest.sort(axis=1)
    last = highest[:, -1]  # the highest of numbers with a NaN among them is NaN, and comes last
    if math.isnan(last.item() if len(last) == 1 else last.max(initial=-np.inf)):
        raise NotANumberError("a logit is not a number")
    return highest[:, -k, None]


def _highest_of_columns(values: NDArray[np.float32], height: int) -> NDArray[np.float32]:
    """Return the column maxima of rows that are laid out as rectangles: ``[batch, columns]``."""
    batch, size = values.shape
    columns = size // height
    end = columns * height
    highest: NDArray[np.float32] = np.maximum.reduce(values[:, :end].reshape(batch, height, columns), axis=1)
    rest = size - end  # less than the height, so fewer than there are columns
    np.maximum(highest[:, :rest], values[:, end:], out=highest[:, :rest])
    return highest


def _keys(logits: NDArray[np.float32], ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return whole numbers that sort like the candidates: by falling logits, equal ones by id.

    The bits of positive floats, read as whole numbers, sort like the floats; those of negative floats sort in the
    opposite order.
    """
    bits = (logits + np.float32(0.0)).view(np.int32)  # + 0.0 turns -0.0 into 0.0
    bits ^= (bits >> 31) & 0x7FFFFFFF
    keys = (~bits).astype(np.int64)
    keys <<= 32
    keys |= ids
    return keys


def top_p(logits: NDArray[np.float32], p: float, temperature: float = 1.0) -> NDArray[np.float32]:
    """Return the logits, float32 ``[batch, vocabulary]``, with minus infinity for all but the most likely tokens.

    The probabilities softmax(logits / temperature) of those that stay add up to ``p``, above 0 to 1, or just more. Of
    tokens with equal probabilities all stay or none. Raises ValueError for a temperature that is not above 0,
    NotANumberError for a NaN or an infinite highest logit.

    >>> top_p(np.log(np.array([[0.125, 0.25, 0.5, 0.125]], np.float32)), 0.6).tolist()
    [[-inf, -1.3862943649291992, -0.6931471824645996, -inf]]
    """
    weights = exact_weights(logits, temperature)
    return np.where(weights >= least_weights(weights, p), logits, _OUT).astype(np.float32, copy=False)


def inverse_cdf(
    logits: NDArray[np.float32], draws: NDArray[np.floating], temperature: float = 1.0
) -> NDArray[np.intp]:
    """Return the chosen column of each row: the first whose cumulative probability exceeds the draw.

    ``logits``: ``[batch, candidates]``, ``draws``: ``[batch]`` in [0, 1); returns ``[batch]``. The probabilities are
    softmax(logits / temperature). (Inverse transform sampling: Devroye, "Non-Uniform Random Variate Generation",
    1986, chapter III.2.) A candidate of probability 0 is never chosen. Raises ValueError for a temperature that
    is not above 0, NotANumberError for a NaN or an infinite highest logit.

    The highest candidate has the weight 2**32, and all weights are rounded to whole numbers, so their sums are exact
    in any order. A model file's graph, which adds in another order and has another exp, then chooses the same.

    >>> inverse_cdf(np.log(np.array([[0.2, 0.3, 0.5]], np.float32)), np.array([0.4])).tolist()
    [1]
    """
    return drawn(exact_weights(logits, temperature), draws)


def log_normalizers(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return log Σ exp(logits) of each row, float64 ``[batch]``; a logit minus this is a log-probability.

    ``logits``: ``[batch, vocabulary]``, converted to float32. The result is NaN for a row with a NaN.

    >>> [round(float(x), 4) for x in log_normalizers(np.zeros((1, 4), np.float32))]
    [1.3863]
    """
    logits = np.asarray(logits, np.float32)
    highest = logits.max(axis=1, keepdims=True)
    totals = np.empty(len(logits))
    with np.errstate(all="ignore"):  # infinity minus infinity is NaN
        for first in range(0, len(logits), _ROWS):
            part = slice(first, first + _ROWS)
            weights = logits[part] - highest[part]
            np.exp(weights, out=weights).sum(axis=1, dtype=np.float64, out=totals[part])
        result: NDArray[np.float64] = np.log(totals) + highest[:, 0]
    return result
