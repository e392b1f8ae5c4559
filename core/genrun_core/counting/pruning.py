"""A smaller n-gram model: n-grams that change little are left out, and what they had goes to the shorter context.

(Stolcke, "Entropy-based Pruning of Backoff Language Models", 1998; here for interpolated models, which need no
normalization afterwards: what a context does not share out itself, its backoff does.)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genrun_core.counting.model import CountingModel
from genrun_core.counting.suffixes import lower_probabilities

__all__ = ["ENTRIES", "MIXED_WIDTHS", "WIDTHS", "prune"]

WIDTHS = (512, 512, 512, 512)  # of a model by itself: the most followers that are kept of contexts of 1, 2, … tokens
MIXED_WIDTHS = (128, 128, 128, 128)  # of a model that is mixed with a network
ENTRIES = 1_000_000  # the most n-grams of it, about 12 MB


def prune(
    model: CountingModel,
    *,
    entries: int | None = None,
    longest_row: Sequence[int] | None = None,
) -> CountingModel:
    """Return ``model`` without the n-grams that matter least.

    ``entries``: how many n-grams of two tokens and more are kept at most; ``longest_row``: how many tokens are kept
    at most after a context of 1 token, of 2, …. Contexts after which nothing is left are no longer known.
    """
    losses = [np.full(len(keys), np.inf) for keys in model.keys]  # of those that nothing would leave out
    keep = [shares > 0 for shares in model.shares]
    for level in range(1, model.order):
        parents = model.keys[level] // model.width
        longest = len(parents) if longest_row is None else longest_row[level - 1]
        at = np.flatnonzero((entries is not None) | (np.bincount(parents, minlength=1)[parents] > longest))
        losses[level][at] = _losses(model, level, at)
        keep[level][at] &= _ranks(parents[at], losses[level][at], keep[level][at]) < longest
    if entries is not None and sum(int(kept.sum()) for kept in keep[1:]) > entries:
        ranked = np.concatenate([np.where(keep[i], losses[i], -np.inf) for i in range(1, model.order)])
        chosen = np.zeros(len(ranked), bool)
        chosen[np.argsort(-ranked, kind="stable")[:entries]] = True
        keep[1:] = np.split(chosen, np.cumsum([len(kept) for kept in keep[1:]])[:-1])
    return _without(model, keep)


def _losses(model: CountingModel, level: int, nodes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what the corpus loses, in nats, with each of some n-grams of ``level`` + 1 tokens: float64."""
    keys, shares = model.keys[level][nodes], model.shares[level][nodes]
    parents, tokens = keys // model.width, keys % model.width
    lower = lower_probabilities(model, level, nodes)
    probability = shares + model.backoffs[level][parents] * lower
    without = probability - shares * (1 - lower)
    lost = probability * np.log(probability / without) - shares * (1 - lower)
    lost[tokens == model.vocabulary] = 0.0
    return np.maximum(lost, 0.0) * model.totals[level][parents]


def _ranks(parents: NDArray[np.int64], losses: NDArray[np.float64], kept: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the place of each n-gram among those of its context, from 0 for the one that matters most."""
    order = np.lexsort((-np.where(kept, losses, -np.inf), parents))
    ranks = np.empty(len(order), np.int64)
    sizes = np.bincount(parents) if len(parents) else np.zeros(0, np.int64)
    ranks[order] = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return ranks


def _without(model: CountingModel, keep: list[NDArray[np.bool_]]) -> CountingModel:
    """Return the model with those shares only, and without the n-grams that are needed for nothing."""
    keys, shares = list(model.keys), [np.where(kept, old, 0.0) for kept, old in zip(keep, model.shares, strict=True)]
    shares[0] = model.shares[0]
    backoffs, totals = list(model.backoffs), list(model.totals)
    needed = np.zeros(0, np.int64)
    for level in range(model.order - 1, 0, -1):
        stay = shares[level] > 0
        stay[needed] = True
        renumbered = np.cumsum(stay) - 1
        if level + 1 < model.order:
            old = keys[level + 1]
            keys[level + 1] = renumbered[old // model.width] * model.width + old % model.width
            backoffs[level + 1], totals[level + 1] = backoffs[level + 1][stay], totals[level + 1][stay]
        keys[level], shares[level] = keys[level][stay], shares[level][stay]
        parents = keys[level] // model.width
        needed = np.unique(parents)
        given = np.bincount(parents, shares[level], len(model.backoffs[level]))
        has = np.bincount(parents, shares[level] > 0, len(model.backoffs[level])) > 0
        backoffs[level] = np.where(has, 1 - given, 1.0)
        totals[level] = np.where(has, model.totals[level], 0)
    return dataclasses.replace(
        model, keys=tuple(keys), shares=tuple(shares), backoffs=tuple(backoffs), totals=tuple(totals)
    )
