"""How much weight a network has beside an n-gram model, found on held-out text."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun_core.counting.model import ContextUse

__all__ = ["Mixture", "fit_mixture"]

_TOTALS = (1, 2, 4, 8, 32, 256)  # a bucket begins at each of these totals of a context
_LIKE_OF_ALL = 100.0  # a bucket's own weight counts for half with this many predictions
_ROUNDS = 100
_BOUNDS = 0.001, 0.999


@dataclass(frozen=True, slots=True)
class Mixture:
    """p = w · p(network) + (1 - w) · p(counts), w by the longest context that the n-gram model knows.

    ``weights``: float64 ``[levels, buckets]``, w for a context of a length (0: no context) and a total.
    ``gain``: how much the mean log-probability of a held-out prediction rises over the better of both, in nats, with
    weights from other documents. ``network``, ``counts`` and ``mixed``: the mean log-probabilities.
    """

    weights: NDArray[np.float64]
    network: float
    counts: float
    mixed: float

    @property
    def gain(self) -> float:
        """By how much the mixture's mean log-probability is above the better one's, in nats."""
        return self.mixed - max(self.network, self.counts)

    def weight(self, use: ContextUse) -> NDArray[np.float64]:
        """Return the network's weight after each of some contexts."""
        return self.weights[use.length, _bucket(use)]

    def mix(
        self, network: NDArray[np.float64], counts: NDArray[np.float64], use: ContextUse
    ) -> NDArray[np.float64]:
        """Return log-probabilities of the mixture from those of both models."""
        return _mixed(network, counts, self.weight(use))


def fit_mixture(
    network: NDArray[np.float64],
    counts: NDArray[np.float64],
    use: ContextUse,
    documents: NDArray[np.int64],
    *,
    levels: int,
) -> Mixture | None:
    """Return the mixture that predicts held-out text best, None where it does not help.

    ``network`` and ``counts``: log-probabilities of the same predictions, ``[predictions]``; ``use``: what the n-gram
    model knew of each; ``documents``: the document that each belongs to; ``levels``: the order of the n-gram model.

    The weights of half of the documents are tried on the other half. The mixture helps if the mean over documents of
    what is won there, over the better one, is above its standard error. Where one weight for all contexts does as
    well, there is one.
    """
    if not len(network):
        return None
    numbered = np.unique(documents, return_inverse=True)[1]
    fold = np.random.default_rng(0).permutation(numbered.max() + 1)[numbered] % 2
    if fold.max() == 0:
        return None  # one document: nothing tells whether a weight is good elsewhere too
    tried = {like: _tried(network, counts, use, fold, levels, like) for like in (_LIKE_OF_ALL, np.inf)}
    like = max(tried, key=lambda like: tried[like].mean())
    better = max(network, counts, key=lambda logs: logs.mean())
    won = np.bincount(numbered, tried[like] - better)  # [documents]
    error = won.std() * np.sqrt(len(won))  # of the sum
    if not won.sum() > error:
        return None
    weights = _fitted(network, counts, use, levels, like)
    return Mixture(weights, float(network.mean()), float(counts.mean()), float(tried[like].mean()))


def _tried(
    network: NDArray[np.float64],
    counts: NDArray[np.float64],
    use: ContextUse,
    fold: NDArray[np.int64],
    levels: int,
    like: float,
) -> NDArray[np.float64]:
    """Return the mixture's log-probabilities of each half of the documents with the weights of the other half."""
    logs = np.empty(len(network))
    for part in (0, 1):
        other, here = fold != part, fold == part
        weights = _fitted(network[other], counts[other], ContextUse(use.length[other], use.total[other]), levels, like)
        found = weights[use.length[here], _bucket(ContextUse(use.length[here], use.total[here]))]
        logs[here] = _mixed(network[here], counts[here], found)
    return logs


def _fitted(
    network: NDArray[np.float64], counts: NDArray[np.float64], use: ContextUse, levels: int, like: float
) -> NDArray[np.float64]:
    """Return the weights ``[levels, buckets]`` by expectation maximization; ``like``: how much each is like all."""
    shape = levels, len(_TOTALS)
    of_all = _maximized(network, counts, np.zeros(len(network), np.int64), np.full(1, 0.5), 1e-9)
    if np.isinf(like):
        return np.full(shape, of_all[0])
    bucket = use.length * len(_TOTALS) + _bucket(use)
    return _maximized(network, counts, bucket, np.full(shape[0] * shape[1], of_all[0]), like).reshape(shape)


def _maximized(
    network: NDArray[np.float64],
    counts: NDArray[np.float64],
    bucket: NDArray[np.int64],
    first: NDArray[np.float64],
    like: float,
) -> NDArray[np.float64]:
    """Return the likeliest weight for each bucket, drawn to ``first`` as by ``like`` predictions."""
    ratio = np.exp(np.clip(counts - network, -500, 500))
    weights, sizes = first, np.bincount(bucket, minlength=len(first)) + like
    for _ in range(_ROUNDS):
        here = weights[bucket]
        by_network = here / (here + (1 - here) * ratio)  # how likely it was the network's
        weights = (np.bincount(bucket, by_network, len(first)) + like * first) / sizes
        weights = np.clip(weights, *_BOUNDS)
    return weights


def _mixed(
    network: NDArray[np.float64], counts: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.logaddexp(network + np.log(weight), counts + np.log1p(-weight))


def _bucket(use: ContextUse) -> NDArray[np.int64]:
    return np.maximum(np.searchsorted(_TOTALS, use.total, side="right") - 1, 0)
