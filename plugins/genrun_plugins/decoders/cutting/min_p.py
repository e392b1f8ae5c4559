"""The stage ``min-p``: candidates that are not much less likely than the likeliest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.sampling import Candidates
from genrun_plugins._checks import check_probability

__all__ = ["MinP"]


@dataclass(frozen=True, slots=True)
class MinP:
    """Keeps the candidates whose probability is at least ``p`` times that of the likeliest one.

    (Nguyen et al., "Turning Up the Heat: Min-p Sampling for Creative and Coherent LLM Outputs", 2024.) They are found
    by their logits: highest logit + log p. ``p``: above 0 and at most 1.

    >>> candidates = Candidates(None, np.log(np.array([[0.6, 0.35, 0.05]], np.float32)), 3)
    >>> MinP(0.1).apply(candidates, [None], np.zeros(1, np.float32)).probabilities().round(2).tolist()
    [[0.63, 0.37, 0.0]]
    """

    p: float = 0.05

    def __post_init__(self) -> None:
        check_probability("p", self.p)

    def apply(self, candidates: Candidates, states: Sequence[None], draws: NDArray[np.float32]) -> Candidates:
        """Return the candidates that are likely enough, in the same order."""
        bounds = candidates.highest() + np.float32(math.log(self.p))
        return candidates.keep_likely(candidates.logits >= bounds)
