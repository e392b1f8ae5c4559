"""Every n-gram of a model beside its shorter ends, found in the model by their nodes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genrun_core.counting.model import CountingModel, taken

__all__ = ["lower_probabilities", "suffixes"]


def lower_probabilities(
    model: CountingModel, level: int, nodes: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Return, for each n-gram of ``level`` + 1 tokens, the probability of its last one with a shorter context.

    ``nodes``: only these n-grams.
    """
    tokens = (model.keys[level] if nodes is None else model.keys[level][nodes]) % model.width
    unigrams = np.append(model.unigrams(), 1.0)
    probability = unigrams[tokens]
    context, last = suffixes(model, level, nodes)
    for lower in range(1, level):
        shorter, found = context[lower - 1], last[lower]
        share, backoff = taken(model.shares[lower], found, 0.0), taken(model.backoffs[lower], shorter, 1.0)
        probability = share + backoff * probability
    return probability


def suffixes(
    model: CountingModel, level: int, nodes: NDArray[np.int64] | None = None
) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
    """Return the ends of each n-gram of ``level`` + 1 tokens, by length from 1 to ``level``, as nodes, -1 for none.

    First those of the n-gram without its last token, then those of the whole. ``nodes``: only these n-grams.
    """
    tokens = _tokens(
        model, level, np.arange(len(model.keys[level])) if nodes is None else nodes
    )  # [n-grams, level + 1]
    found = []
    for end in (level, level + 1):
        ends = []
        for length in range(1, level + 1):
            node = tokens[:, end - length]
            for step in range(1, length):
                node = model.find(step, node, tokens[:, end - length + step])
            ends.append(node)
        found.append(ends)
    return found[0], found[1]


def _tokens(model: CountingModel, level: int, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the tokens of n-grams of ``level`` + 1 tokens: int64 ``[n-grams, level + 1]``."""
    columns = []
    for at in range(level, 0, -1):
        columns.append(model.keys[at][nodes] % model.width)
        nodes = model.keys[at][nodes] // model.width
    return np.stack([nodes, *columns[::-1]], axis=1)
