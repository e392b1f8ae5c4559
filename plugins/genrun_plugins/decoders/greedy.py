"""The decoder and chooser ``greedy``: always the most likely token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.sampling import Candidates

__all__ = ["Greedy"]


@dataclass(frozen=True, slots=True)
class Greedy:
    """Chooses the token with the highest logit; of equal ones, the one with the lowest id. It has no options.

    >>> logits = np.array([[0.0, 2.0, 1.0]], np.float32)
    >>> Greedy().choose(logits, [], np.zeros(1, np.float32))
    array([1])
    """

    def choose(
        self,
        logits: NDArray[np.float32],
        tokens: Sequence[NDArray[np.int64]],
        draws: NDArray[np.float32],
    ) -> NDArray[np.int64]:
        """Return int64 ``[batch]`` for logits float32 ``[batch, vocabulary]``."""
        chosen: NDArray[np.int64] = np.argmax(logits, axis=1)
        return chosen

    def pick(self, candidates: Candidates, states: Sequence[None], draws: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return int64 ``[batch]``: the first of the highest candidates."""
        return candidates.ids_at(candidates.logits.argmax(axis=1))

    def parameters(self) -> Mapping[str, float]:
        """Return k and temperature, with which a model file's graph chooses the same."""
        return {"k": 1}
