"""The stages ``epsilon`` and ``eta``: candidates above a fixed probability, or above one that follows the entropy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.sampling import Candidates
from genrun_plugins._checks import check_probability

__all__ = ["Epsilon", "Eta"]


@dataclass(frozen=True, slots=True)
class Epsilon:
    """Keeps the candidates whose probability is at least ``epsilon``, and the likeliest in any case.

    (Hewitt et al., "Truncation Sampling as Language Model Desmoothing", 2022.) ``epsilon``: above 0 and at most 1;
    the paper uses 0.0003 to 0.0009.

    >>> candidates = Candidates(None, np.log(np.array([[0.6, 0.39, 0.01]], np.float32)), 3)
    >>> Epsilon(0.02).apply(candidates, [None], np.zeros(1, np.float32)).logits > -np.inf
    array([[ True,  True, False]])
    """

    epsilon: float = 0.0009

    def __post_init__(self) -> None:
        check_probability("epsilon", self.epsilon)

    def apply(self, candidates: Candidates, states: Sequence[None], draws: NDArray[np.float32]) -> Candidates:
        """Return the candidates that are likely enough, in the same order."""
        return _above(candidates, np.full(len(draws), self.epsilon))


@dataclass(frozen=True, slots=True)
class Eta:
    """Keeps the candidates whose probability is at least η = min(epsilon, √epsilon · exp(-H)), H being the entropy.

    The likeliest stays in any case. (Hewitt et al., "Truncation Sampling as Language Model Desmoothing", 2022.)
    ``epsilon``: above 0 and at most 1; the paper uses 0.0003 to 0.004.

    >>> candidates = Candidates(None, np.log(np.array([[0.6, 0.39, 0.01]], np.float32)), 3)
    >>> Eta(0.02).apply(candidates, [None], np.zeros(1, np.float32)).logits > -np.inf
    array([[ True,  True, False]])
    """

    epsilon: float = 0.002

    def __post_init__(self) -> None:
        check_probability("epsilon", self.epsilon)

    def apply(self, candidates: Candidates, states: Sequence[None], draws: NDArray[np.float32]) -> Candidates:
        """Return the candidates that are likely enough, in the same order."""
        return _above(candidates, np.minimum(self.epsilon, np.sqrt(self.epsilon) * np.exp(-candidates.entropy())))


def _above(candidates: Candidates, least: NDArray[np.float64]) -> Candidates:
    logits = candidates.logits
    likely = candidates.probabilities() >= least[:, None]
    return candidates.keep(likely | (logits == candidates.highest()))
