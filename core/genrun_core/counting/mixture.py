"""How much weight a network has beside an n-gram model, found on held-out text.

The network stands in for the lowest order of the n-gram model, the distribution without context. So what no context
has seen is left to the network, which knows better than a unigram where a text may end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun_core.counting.model import Counted

__all__ = ["Mixture", "fit_mixture", "tried_elsewhere"]

_TOTALS = (1, 2, 4, 8, 32, 256)  # a bucket begins at each of these totals of a context
_LIKE_HALF = 20.0  # the weight of all buckets is drawn to a half as by this many predictions
_CREDIT = 8.0  # nats: mixing nearly always helps where there is little text, which few documents need not show
_FEW = 2_000  # predictions, from which on there is no credit
_LIKE_OF_ALL = 100.0  # a bucket's own weight counts for half with this many predictions
_ROUNDS = 100
_BOUNDS = 0.001, 0.999

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mixture:
    """p = w · p(network) + (1 - w) · p(counts), w by the longest context that the n-gram model knows.

    p(counts) has the network's distribution in place of the one without context. ``weights``: float64
    ``[levels, buckets]``, w for a context of a length (0: no context) and a total. ``network``, ``counts`` and
    ``mixed``: mean log-probabilities of held-out predictions, ``counts`` those of the n-gram model by itself,
    ``mixed`` with weights from other documents.
    """

    weights: Array
    network: float
    counts: float
    mixed: float

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the mixture as named arrays, for :func:`numpy.savez`."""
        figures = np.array([self.network, self.counts, self.mixed])
        return {"mixture.weights": self.weights, "mixture.figures": figures}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], *, levels: int) -> Mixture:
        """Return the mixture that :meth:`to_arrays` was asked of; raises KeyError or ValueError if it is damaged."""
        weights = arrays["mixture.weights"].astype(np.float64)
        network, counts, mixed = arrays["mixture.figures"].tolist()
        low, high = _BOUNDS
        if weights.shape != (levels, len(_TOTALS)) or not ((weights >= low) & (weights <= high)).all():
            raise ValueError("the weights are no weights")
        return cls(weights, network, counts, mixed)

    def weight(self, length: NDArray[np.int64], total: NDArray[np.int64]) -> Array:
        """Return the network's weight where the longest known context has this length and total."""
        return self.weights[length, _bucket(total)]

    def mix(self, network: Array, counted: Counted) -> Array:
        """Return the mixture's log-probabilities from the network's and what was counted."""
        other = _other(network, counted)
        return _mixed(network, other, self.weight(counted.length, counted.total))


def fit_mixture(
    network: Array, counted: Counted, documents: NDArray[np.int64], *, levels: int
) -> tuple[Mixture, Array] | None:
    """Return the mixture that predicts held-out text best, None where it helps the network nothing.

    And the log-probabilities of the predictions, by weights of other documents.

    ``network``: log-probabilities, ``[predictions]``; ``counted``: what the n-gram model knows of the same ones;
    ``documents``: the document that each belongs to; ``levels``: the order of the n-gram model.
    """
    other = _other(network, counted)

    def mixed_by(there: NDArray[np.bool_], here: NDArray[np.bool_]) -> Array:
        weights = _fitted(network[there], other[there], counted.where(there), levels)
        return _mixed(network[here], other[here], weights[counted.length[here], _bucket(counted.total[here])])

    credit = _CREDIT * max(0.0, 1 - len(network) / _FEW)
    mixed = tried_elsewhere(network, documents, mixed_by, credit=credit)
    if mixed is None:
        return None
    weights = _fitted(network, other, counted, levels)
    return Mixture(weights, float(network.mean()), float(counted.logs.mean()), float(mixed.mean())), mixed


def tried_elsewhere(
    logs: Array,
    parts: NDArray[np.int64],
    predicted: Callable[[NDArray[np.bool_], NDArray[np.bool_]], Array],
    *,
    credit: float = 0.0,
) -> Array | None:
    """Return log-probabilities of each half of the ``parts``, documents or blocks, by what fits the other half.

    ``predicted(there, here)``: those of the half ``here``. None where they are no better than ``logs``: the sum over
    parts of what is won, with ``credit`` nats, must be above its standard error.
    """
    numbered = np.unique(parts, return_inverse=True)[1]
    if numbered.max(initial=0) == 0:
        return None  # one part: nothing tells whether a weight is good elsewhere too
    fold = np.random.default_rng(0).permutation(numbered.max() + 1)[numbered] % 2
    found = np.empty(len(logs))
    for half in (0, 1):
        found[fold == half] = predicted(fold != half, fold == half)
    won = np.bincount(numbered, found - logs)  # [parts]
    return found if won.sum() + credit > won.std() * np.sqrt(len(won)) else None


def _other(network: Array, counted: Counted) -> Array:
    """Return the log-probabilities that a network's are mixed with."""
    return np.log(counted.above + counted.left * np.exp(network))


def _fitted(network: Array, other: Array, counted: Counted, levels: int) -> Array:
    """Return the weights ``[levels, buckets]``; one with few predictions is much like that of all."""
    of_all = _maximized(network, other, np.zeros(len(network), np.int64), np.full(1, 0.5), _LIKE_HALF)
    shape = levels, len(_TOTALS)
    bucket = counted.length * len(_TOTALS) + _bucket(counted.total)
    return _maximized(network, other, bucket, np.full(shape, of_all[0]).ravel(), _LIKE_OF_ALL).reshape(shape)


def _maximized(network: Array, other: Array, bucket: NDArray[np.int64], first: Array, like: float) -> Array:
    """Return the likeliest weight for each bucket, drawn to ``first`` as by ``like`` predictions.

    (Jelinek & Mercer, "Interpolated estimation of Markov source parameters from sparse data", 1980.)
    """
    ratio = np.exp(np.clip(other - network, -500, 500))
    weights, sizes = first, np.bincount(bucket, minlength=len(first)) + like
    for _ in range(_ROUNDS):
        here = weights[bucket]
        by_network = here / (here + (1 - here) * ratio)  # how likely it was the network's
        weights = (np.bincount(bucket, by_network, len(first)) + like * first) / sizes
        weights = np.clip(weights, *_BOUNDS)
    return weights


def _mixed(network: Array, other: Array, weight: Array) -> Array:
    return np.logaddexp(network + np.log(weight), other + np.log1p(-weight))


def _bucket(total: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.maximum(np.searchsorted(_TOTALS, total, side="right") - 1, 0)
