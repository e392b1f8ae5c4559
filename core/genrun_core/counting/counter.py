"""From documents to an interpolated modified Kneser-Ney model, in a few sorts for each order.

(Chen & Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling", 1998, section 3.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.errors import OptionError
from genrun_core.counting.framing import Framed, frame
from genrun_core.counting.model import CountingModel
from genrun_core.recipes.sections import ORDERS

__all__ = ["count_ngrams"]

_USUAL = np.array([0.5, 1.0, 1.5])  # where the counts of counts say nothing
_LEAST = 0.05  # a context must leave something to words that have not followed it
_UNKNOWN = 0.5  # the rest is shared out evenly, and makes rare words likelier


@dataclass(frozen=True, slots=True)
class _Level:
    """The n-grams of one length: their sorted ``keys``, and which of them ends at each place (-1: none)."""

    keys: NDArray[np.int64]
    nodes: NDArray[np.int64]


def count_ngrams(
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    *,
    vocabulary: int,
    order: int = 3,
    boundary: bool,
    unknown: int | None = None,
) -> CountingModel:
    """Return the model of documents: document i is ``ids[offsets[i]:offsets[i + 1]]``.

    What is counted is what a network learns from: every token but the first of a document, after those before it in
    the document. A running text is one document. ``boundary``: the beginning of a document is a context; give true
    where documents do not begin with ``<start>``. Raises OptionError for an order outside of 2 to 5.
    """
    if order not in ORDERS:
        raise OptionError(f"order must be a whole number from {ORDERS[0]} to {ORDERS[-1]}, not {order!r}")
    framed = frame(ids, offsets, vocabulary if boundary else None)
    width = vocabulary + 1
    levels = [_Level(np.arange(width), framed.tokens)]
    for level in range(1, order):
        levels.append(_longer(levels[-1], framed, level, width))
    counts = [
        _continuations(levels[i], levels[i + 1], framed, i + 1) if i + 1 < order else _occurrences(levels[i], framed)
        for i in range(order)
    ]
    shares, backoffs, totals = [], [], []
    for level, found in enumerate(counts):
        parents = levels[level].keys // width if level else np.zeros(width, np.int64)
        share, backoff, total = _shared_out(found, parents, len(levels[level - 1].keys) if level else 1)
        shares.append(share)
        backoffs.append(backoff)
        totals.append(total)
    if unknown is not None and not counts[0][unknown]:
        shares[0][unknown] = _UNKNOWN * backoffs[0][0]
        backoffs[0] = (1 - _UNKNOWN) * backoffs[0]
    keys = tuple(level.keys for level in levels)
    return CountingModel(order, vocabulary, boundary, keys, tuple(shares), tuple(backoffs), tuple(totals))


def _longer(shorter: _Level, framed: Framed, level: int, width: int) -> _Level:
    """Return the n-grams that are one token longer than those of ``shorter``, which have ``level`` tokens."""
    places = np.flatnonzero(framed.position >= level)
    keys, inverse = np.unique(shorter.nodes[places - 1] * width + framed.tokens[places], return_inverse=True)
    nodes = np.full(len(framed.tokens), -1)
    nodes[places] = inverse
    return _Level(keys, nodes)


def _occurrences(level: _Level, framed: Framed) -> NDArray[np.int64]:
    """Return how often the last token of each n-gram was predicted after the others."""
    counted = level.nodes[framed.predicted & (level.nodes >= 0)]
    return np.bincount(counted, minlength=len(level.keys))


def _continuations(level: _Level, longer: _Level, framed: Framed, length: int) -> NDArray[np.int64]:
    """Return after how many different tokens each n-gram of ``length`` tokens was predicted.

    Where it begins a document, nothing can be before it: there, each occurrence counts.
    """
    first = _occurrences(_Level(level.keys, np.where(framed.position == length - 1, level.nodes, -1)), framed)
    places = np.flatnonzero(framed.predicted & (longer.nodes >= 0))
    without_first = np.full(len(longer.keys), -1)
    without_first[longer.nodes[places]] = level.nodes[places]
    return first + np.bincount(without_first[without_first >= 0], minlength=len(level.keys))


def _shared_out(
    counts: NDArray[np.int64], parents: NDArray[np.int64], contexts: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Return the share of each n-gram in its context, what each context leaves over, and how often it was seen."""
    off = _taken_off(counts, _discounts(counts))
    totals = np.bincount(parents, counts, contexts)
    seen = np.maximum(totals, 1)
    left = np.where(totals > 0, np.bincount(parents, off, contexts) / seen, 1.0)
    return (counts - off) / seen[parents], left, totals.astype(np.int64)


def _discounts(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what is taken off a count of 1, of 2, and of 3 and more: float64 ``[3]``.

    ``counts``: how often each n-gram of one order was seen; zeros are ignored. A discount that cannot be estimated,
    because too few n-grams are rare, is 0.5, 1 or 1.5.

    (Chen & Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling", 1998, equation 17.)

    >>> _discounts(np.array([1, 1, 1, 1, 2, 2, 3, 4])).round(3).tolist()
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


def _taken_off(counts: NDArray[np.int64], discounts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the discount of each count, float64; nothing is taken off 0."""
    return np.concatenate(([0.0], discounts))[np.minimum(counts, 3)]
