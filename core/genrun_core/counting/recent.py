"""Words of the text so far are likelier to come again: a cache of the last tokens beside a model.

p'(v) = (trust · p(v) + Σ w(i) [token i is v]) / (trust + Σ w(i)), over the last ``size`` tokens but the very last

w(i) = exp(-distance / (0.4 · size)) · (1 + match · [the token before i is the last one]
                                          + 3 · match · [and so are the two before i])

The plain cache: Kuhn & De Mori, "A Cache-Based Natural Language Model for Speech Recognition", 1990. Grave et
al., "Improving Neural Language Models with a Continuous Cache", 2017, weigh a token by how much the hidden state of
then is like the present one; here the tokens before both are compared. So the state is a row of token ids, not of
vectors. The very last token is left out, or words would be doubled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from genrun_core.counting.mixture import tried_elsewhere

__all__ = ["RecentCounts", "RecentWords", "count_recent", "fit_recent"]

Array = NDArray[np.float64]

FIRST = 2  # the distance of the nearest token that counts; 1 would be the last token itself
_DECAY = 0.4  # of the size: the distance at which a token weighs 1/e
_BOTH = 3.0  # times match: what a context of two tokens adds
_TRUSTS = tuple(float(25 * 2**power) for power in range(14))
_MATCHES = (0.0, 3.0, 10.0, 30.0, 100.0)


class RecentCounts(NamedTuple):
    """What the tokens before some predictions say, float64 ``[3, predictions]`` each.

    Summed weights of recent tokens, ``of_token``: those that are the predicted one, ``of_all``. The rows: all recent
    tokens, those after the same token, those after the same two tokens.
    """

    of_token: Array
    of_all: Array

    def where(self, chosen: NDArray[np.bool_]) -> RecentCounts:
        """Return what is known of some of the predictions."""
        return RecentCounts(self.of_token[:, chosen], self.of_all[:, chosen])


@dataclass(frozen=True, slots=True)
class RecentWords:
    """How much the last ``size`` tokens count beside a model.

    ``trust``: the weight of the model's own probabilities, in recent tokens; ``match``: by how much more a token
    counts whose context was the present one.
    """

    size: int
    trust: float
    match: float

    def mix(self, logs: Array, counts: RecentCounts) -> Array:
        """Return the log-probabilities of predictions ``[predictions]`` from the model's."""
        of_token, of_all = (self.kinds @ found for found in counts)
        mixed: Array = np.log((self.trust * np.exp(logs) + of_token) / (self.trust + of_all))
        return mixed

    def mix_next(self, logs: Array, tokens: NDArray[np.int64]) -> Array:
        """Return the log-probabilities ``[vocabulary]`` of what follows ``tokens``, all of the text so far."""
        places, weights = self.weights(tokens)
        added = np.bincount(tokens[places], weights, len(logs))
        mixed: Array = np.log((self.trust * np.exp(logs) + added) / (self.trust + weights.sum()))
        return mixed

    def weights(self, tokens: NDArray[np.int64]) -> tuple[NDArray[np.int64], Array]:
        """Return which tokens count for what follows ``tokens``, and how much each."""
        places = np.arange(max(len(tokens) - self.size, 0), len(tokens) - 1)
        before = tokens[np.maximum(places - 1, 0)]
        one = (places >= 1) & (before == tokens[-1])
        two = one & (places >= 2) & (tokens[np.maximum(places - 2, 0)] == tokens[max(len(tokens) - 2, 0)])
        kinds = np.stack([np.ones(len(places)), one, two])
        return places, (self.kinds @ kinds) * self.fading[: len(places)][::-1]

    @property
    def reach(self) -> int:
        """How many of the last tokens are looked at: those that count, and the two before the first of them."""
        return self.size + 2

    @property
    def kinds(self) -> Array:
        """The weight of a recent token, and what is added for one after the same token and after the same two."""
        return np.array([1.0, self.match, _BOTH * self.match])

    @property
    def fading(self) -> Array:
        """What tokens weigh by their distance, from FIRST to ``size``: float64 ``[size - 1]``."""
        return _fading(self.size)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return it as named arrays, for :func:`numpy.savez`."""
        return {"recent": np.array([self.size, self.trust, self.match])}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> RecentWords | None:
        """Return what :meth:`to_arrays` was asked of, None if nothing was; raises ValueError if it is damaged."""
        if "recent" not in arrays:
            return None
        found = arrays["recent"].astype(np.float64)
        if (
            found.shape != (3,)
            or not np.isfinite(found).all()
            or not (found >= (FIRST, 1e-9, 0)).all()
            or found[0] % 1
        ):
            raise ValueError("the weights of recent words are no weights")
        size, trust, match = found.tolist()
        return cls(int(size), trust, match)


def _fading(size: int) -> Array:
    weights: Array = np.exp(-np.arange(FIRST, size + 1) / (_DECAY * size))
    return weights


def count_recent(ids: NDArray[np.int32], offsets: NDArray[np.int64], size: int) -> RecentCounts:
    """Return what recent tokens say of the predictions of documents: of every token but the first of each, in order.

    ``ids``: the documents, one after another; ``offsets`` int64 ``[documents + 1]``: where each begins.
    """
    position = np.arange(len(ids)) - np.repeat(offsets[:-1], np.diff(offsets))
    of_token, of_all = np.zeros((3, len(ids))), np.zeros((3, len(ids)))
    longest = int(position.max(initial=0))
    for distance, weight in zip(range(FIRST, min(size, longest) + 1), _fading(size).tolist(), strict=False):
        here, there = slice(distance, None), slice(0, len(ids) - distance)
        recent = position[here] >= distance
        one = recent & (position[here] > distance) & _same(ids, distance, 1)
        two = one & (position[here] > distance + 1) & _same(ids, distance, 2)
        again = ids[here] == ids[there]
        for kind, counts in enumerate((recent, one, two)):
            of_all[kind, here] += weight * counts
            of_token[kind, here] += weight * (counts & again)
    predicted = position > 0
    return RecentCounts(of_token[:, predicted], of_all[:, predicted])


def _same(ids: NDArray[np.int32], distance: int, back: int) -> NDArray[np.bool_]:
    """Return whether the token ``back`` before each is that before the one at ``distance``."""
    same: NDArray[np.bool_] = np.zeros(len(ids) - distance, bool)
    same[back:] = ids[distance:-back] == ids[: -back - distance]
    return same


def fit_recent(
    logs: Array, counts: RecentCounts, blocks: NDArray[np.int64], size: int
) -> tuple[RecentWords, Array] | None:
    """Return the weights of recent words that predict held-out text best, None where they help nothing.

    And the log-probabilities of the predictions, by weights of other blocks. ``logs``: the model's log-probabilities
    ``[predictions]``; ``blocks``: the part of the text that each belongs to.
    """

    def mixed_by(there: NDArray[np.bool_], here: NDArray[np.bool_]) -> Array:
        return _best(logs[there], counts.where(there), size).mix(logs[here], counts.where(here))

    tried = tried_elsewhere(logs, blocks, mixed_by)
    return None if tried is None else (_best(logs, counts, size), tried)


def _best(logs: Array, counts: RecentCounts, size: int) -> RecentWords:
    choices = [RecentWords(size, trust, match) for trust, match in product(_TRUSTS, _MATCHES)]
    return max(choices, key=lambda choice: float(choice.mix(logs, counts).mean()))
