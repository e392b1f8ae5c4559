"""The decoder and stage ``top-p``: the most likely tokens that together have the probability p."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.sampling import Candidates
from genrun.sampling.nucleus import drawn_of_nucleus, least_weights
from genrun.sampling.weights import exact_weights
from genrun_plugins._checks import check_probability
from genrun_plugins.decoders.temperature import check_temperature, divided

__all__ = ["TopP"]


@dataclass(frozen=True, slots=True)
class TopP:
    """Leaves out the unlikely tokens (Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020).

    What stays are the most likely tokens whose probabilities, softmax(logits / temperature), add up to ``p`` or just
    more; of tokens that are equally likely, all or none. Where the model is sure, they are few; where many words may
    follow, they are many. The candidates of the inverse CDF are in the order of their ids. ``temperature``: as in the
    decoder ``temperature``. Without ``repeats``, a token is never drawn twice in a row, if there is another one: a
    small model doubles words more often than people do. Raises OptionError for p not above 0 or above 1, or a
    temperature of 0 or below.

    >>> logits = np.log(np.array([[0.2, 0.3, 0.5]], np.float32))
    >>> [int(TopP(0.7).choose(logits, [], np.array([u], np.float32))[0]) for u in (0.0, 0.3, 0.4, 0.9)]
    [1, 1, 2, 2]
    """

    p: float = 0.95
    temperature: float = 1.0
    repeats: bool = True

    def __post_init__(self) -> None:
        check_probability("p", self.p)
        check_temperature(self.temperature)

    def choose(
        self,
        logits: NDArray[np.float32],
        tokens: Sequence[NDArray[np.int64]],
        draws: NDArray[np.float32],
    ) -> NDArray[np.int64]:
        """Return int64 ``[batch]`` for logits float32 ``[batch, vocabulary]`` and draws ``[batch]``."""
        if not self.repeats:
            logits = _without_last(logits, tokens)
        weights = exact_weights(logits, self.temperature)
        return drawn_of_nucleus(weights, self.p, draws)

    def first(self, prompt: Sequence[int]) -> int | None:
        """Return the last token of the prompt, -1 without one; None if it may be repeated."""
        if self.repeats:
            return None
        return prompt[-1] if len(prompt) else -1

    def follow(self, state: int, token: int) -> int:
        """Return the last token."""
        return token

    def apply(self, candidates: Candidates, states: Sequence[int | None], draws: NDArray[np.float32]) -> Candidates:
        """Return the most likely candidates after the temperature, in the same order."""
        if not self.repeats:
            lasts = np.array(states, np.int64)
            rows = (lasts >= 0).nonzero()[0]
            candidates = candidates.without(rows, lasts[rows])
        if self.temperature != 1:
            candidates = divided(candidates, self.temperature)
        weights = candidates.weights()
        return candidates.keep_likely(weights >= least_weights(weights, self.p))


def _without_last(logits: NDArray[np.float32], tokens: Sequence[NDArray[np.int64]]) -> NDArray[np.float32]:
    """Return the logits with minus infinity for the last token of each row, unless nothing else can be drawn."""
    found = np.array(logits)
    for row, before in zip(found, tokens, strict=True):
        if len(before):
            last = row[before[-1]]
            row[before[-1]] = -np.inf
            if row.max() == -np.inf:
                row[before[-1]] = last
    return found
