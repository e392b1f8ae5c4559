"""An n-gram model whose orders are interpolated, as sorted arrays: how likely a token is after those before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from genrun_core.counting.framing import Framed, frame

__all__ = ["Counted", "CountingModel", "taken"]


class Counted(NamedTuple):
    """What an n-gram model knows of some predictions: p = ``above`` + ``left`` · ``unigram``, float64 each.

    ``above``: what contexts say; ``left``: what they leave to the distribution without context. ``length`` and
    ``total``, int64: of the longest known context, its tokens and how often it was seen; 0 for none.
    """

    above: NDArray[np.float64]
    left: NDArray[np.float64]
    unigram: NDArray[np.float64]
    length: NDArray[np.int64]
    total: NDArray[np.int64]

    @property
    def logs(self) -> NDArray[np.float64]:
        """The log-probabilities."""
        logs: NDArray[np.float64] = np.log(self.above + self.left * self.unigram)
        return logs

    def where(self, chosen: NDArray[np.bool_]) -> Counted:
        """Return what is known of some of the predictions."""
        above, left, unigram = self.above[chosen], self.left[chosen], self.unigram[chosen]
        return Counted(above, left, unigram, self.length[chosen], self.total[chosen])


@dataclass(frozen=True, slots=True)
class CountingModel:
    """An interpolated n-gram model of ``order`` n over ``vocabulary`` tokens.

    An n-gram of k tokens is a node of level k, numbered within the level. ``keys[k - 1]`` int64, sorted: the number
    of the node without its last token, times the width (``vocabulary + 1``), plus its last token. Level 1 has a node
    for each token and one, the last, for the beginning of a document, which is a context if ``boundary`` is true.

    ``shares[k - 1]`` float64: what a node adds to the probability of its last token after the others. ``backoffs[k]``
    float64: what the context that a node of level k is leaves to the shorter one; ``backoffs[0]`` has one element,
    what is shared out evenly. ``totals[k]`` int64: how often a context was seen, 0 if nothing follows it.

    p(token | context) = share + backoff(context) · p(token | context without its first token)
    """

    order: int
    vocabulary: int
    boundary: bool
    keys: tuple[NDArray[np.int64], ...]
    shares: tuple[NDArray[np.float64], ...]
    backoffs: tuple[NDArray[np.float64], ...]
    totals: tuple[NDArray[np.int64], ...]

    @property
    def width(self) -> int:
        """How many numbers the last token of a key can have: the tokens, and the boundary."""
        return self.vocabulary + 1

    @property
    def entries(self) -> int:
        """How many n-grams of two tokens and more have a share."""
        return sum(int((shares > 0).sum()) for shares in self.shares[1:])

    def unigrams(self) -> NDArray[np.float64]:
        """Return the probabilities of all tokens without any context, float64 ``[vocabulary]``."""
        found: NDArray[np.float64] = self.shares[0][: self.vocabulary] + self.backoffs[0][0] / self.vocabulary
        return found

    def score(self, ids: NDArray[np.int32], offsets: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the log-probabilities of documents, float64: of every token but the first of each, in order."""
        return self.counted(ids, offsets).logs

    def counted(self, ids: NDArray[np.int32], offsets: NDArray[np.int64]) -> Counted:
        """Return what is known of the predictions of documents: of every token but the first of each, in order."""
        framed = frame(ids, offsets, self.vocabulary if self.boundary else None)
        places = np.flatnonzero(framed.predicted)
        unigram = self.unigrams()[framed.tokens[places]]
        above, left = np.zeros(len(places)), np.ones(len(places))
        length, longest = np.zeros(len(places), np.int64), np.zeros(len(places), np.int64)
        nodes = framed.tokens  # at level 1
        for level in range(1, self.order):
            contexts = nodes[places - 1]
            nodes = self._extended(nodes, framed, level)
            backoff = taken(self.backoffs[level], contexts, 1.0)
            above = taken(self.shares[level], nodes[places], 0.0) + backoff * above
            left = backoff * left
            total = taken(self.totals[level], contexts, 0)
            length[total > 0], longest[total > 0] = level, total[total > 0]
        return Counted(above, left, unigram, length, longest)

    def find(self, level: int, nodes: NDArray[np.int64], tokens: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the nodes of ``level`` + 1 that are ``nodes`` and then ``tokens``, -1 where there is none."""
        keys = self.keys[level]
        if not len(keys):
            return np.full(len(nodes), -1)
        wanted = nodes * self.width + tokens
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where((nodes >= 0) & (keys[at] == wanted), at, -1)

    def contexts(self, tokens: NDArray[np.int64]) -> list[int]:
        """Return the nodes that the last of a document's first ``tokens`` are, by level: -1 for one not known."""
        seen = [self.vocabulary] if self.boundary else []
        seen += tokens[-self.order :].tolist()  # one more than a context has, so that it begins a text only there
        found = []
        for length in range(1, min(self.order - 1, len(seen)) + 1):
            node = np.array([seen[-length]])
            for level, token in enumerate(seen[len(seen) - length + 1 :], 1):
                node = self.find(level, node, np.array([token]))
            found.append(int(node[0]))
        return found

    def distribution(self, contexts: list[int]) -> NDArray[np.float64]:
        """Return the probabilities of all tokens after the contexts of :meth:`contexts`: float64 ``[vocabulary]``."""
        found = self.counted_after(contexts)
        probability: NDArray[np.float64] = found.above + found.left * found.unigram
        return probability

    def counted_after(self, contexts: list[int]) -> Counted:
        """Return what is known of each token as the one that follows the contexts of :meth:`contexts`."""
        above, left, length, total = np.zeros(self.vocabulary), 1.0, 0, 0
        for level, node in enumerate(contexts, 1):
            if node >= 0:
                above *= self.backoffs[level][node]
                left *= self.backoffs[level][node]
                first, last = np.searchsorted(self.keys[level], [node * self.width, (node + 1) * self.width])
                above[self.keys[level][first:last] - node * self.width] += self.shares[level][first:last]
                if self.totals[level][node] > 0:
                    length, total = level, int(self.totals[level][node])
        numbers = np.ones(self.vocabulary, np.int64)
        return Counted(above, np.full(self.vocabulary, left), self.unigrams(), length * numbers, total * numbers)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the model as named arrays, for :func:`numpy.savez`."""
        arrays: dict[str, NDArray[Any]] = {"shape": np.array([self.order, self.vocabulary, self.boundary])}
        for name in ("keys", "shares", "backoffs", "totals"):
            arrays |= {f"{name}.{level}": array for level, array in enumerate(getattr(self, name))}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> CountingModel:
        """Return the model that :meth:`to_arrays` was asked of; raises KeyError if an array is missing."""
        order, vocabulary, boundary = arrays["shape"].tolist()
        parts = {
            name: tuple(np.asarray(arrays[f"{name}.{level}"]) for level in range(order))
            for name in ("keys", "shares", "backoffs", "totals")
        }
        return cls(order, vocabulary, bool(boundary), **parts)

    def _extended(self, nodes: NDArray[np.int64], framed: Framed, level: int) -> NDArray[np.int64]:
        """Return the nodes of ``level`` + 1 that end at each place, -1 where there is none."""
        before = np.concatenate(([-1], nodes[:-1]))
        before[framed.position < level] = -1
        return self.find(level, before, framed.tokens)


def taken(values: NDArray[Any], nodes: NDArray[np.int64], otherwise: float) -> NDArray[Any]:
    """Return the values of ``nodes``, and ``otherwise`` where a node is -1."""
    if not len(values):
        return np.full(len(nodes), otherwise, values.dtype)
    return np.where(nodes >= 0, values[nodes], values.dtype.type(otherwise))
