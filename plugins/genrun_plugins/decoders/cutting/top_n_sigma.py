"""The stage ``top-n-sigma``: candidates within some standard deviations of the highest logit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.sampling import Candidates
from genrun.sampling.candidates import exact_sums
from genrun_plugins._checks import check_number

__all__ = ["TopNSigma"]


@dataclass(frozen=True, slots=True)
class TopNSigma:
    """Keeps the candidates whose logit is at least the highest minus ``n`` standard deviations of the logits.

    (Tang et al., "Top-nσ: Not All Logits Are You Need", 2024.) The deviation is that of the candidates that are left:
    √(Σ (logit - mean)² / their number). What stays is the same at any temperature. ``n``: above 0.

    >>> candidates = Candidates(None, np.array([[4.0, 3.0, 0.0, 0.0, 0.0]], np.float32), 5)
    >>> TopNSigma(1.0).apply(candidates, [None], np.zeros(1, np.float32)).logits > -np.inf
    array([[ True,  True, False, False, False]])
    """

    n: float = 1.0

    def __post_init__(self) -> None:
        check_number("n", self.n, above=0)

    def apply(self, candidates: Candidates, states: Sequence[None], draws: NDArray[np.float32]) -> Candidates:
        """Return the candidates near the highest, in the same order."""
        left = candidates.logits > -np.inf
        number = np.maximum(left.sum(axis=1), 1)
        below = np.where(left, candidates.highest() - candidates.logits.astype(np.float64), 0)
        means = exact_sums(below) / number
        deviations = np.sqrt(exact_sums(np.where(left, below - means[:, None], 0) ** 2) / number)
        return candidates.keep(left & (below <= self.n * deviations[:, None]))
