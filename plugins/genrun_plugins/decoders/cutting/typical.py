"""The stage ``typical``: candidates whose surprise is near the expected one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.sampling import Candidates
from genrun_plugins._checks import check_probability

__all__ = ["Typical"]


@dataclass(frozen=True, slots=True)
class Typical:
    """Keeps the candidates with the least \\|-log p - H\\| that together have the probability ``mass``; H: entropy.

    (Meister et al., "Locally Typical Sampling", 2023.) Of candidates that are equally far from the entropy, all stay
    or none. ``mass``: above 0 and at most 1.

    >>> candidates = Candidates(None, np.log(np.array([[0.6, 0.3, 0.1]], np.float32)), 3)
    >>> Typical(0.2).apply(candidates, [None], np.zeros(1, np.float32)).probabilities().tolist()
    [[0.0, 1.0, 0.0]]
    """

    mass: float = 0.95

    def __post_init__(self) -> None:
        check_probability("mass", self.mass)

    def apply(self, candidates: Candidates, states: Sequence[None], draws: NDArray[np.float32]) -> Candidates:
        """Return the typical candidates, in the same order."""
        distances = candidates.log_probabilities()
        distances += candidates.entropy()[:, None]
        np.abs(distances, distances)  # infinite for what is out
        weights = candidates.weights()
        order = distances.argsort(axis=1, kind="stable")
        if len(order) == 1:  # the same, in fewer calls
            sums = np.add.accumulate(weights.take(order[0]))
            return candidates.keep(distances <= distances.take(order.item(sums.searchsorted(self.mass * sums[-1]))))
        order += np.arange(len(order))[:, None] * order.shape[1]  # places in all rows
        cumulative = np.add.accumulate(weights.take(order), axis=1)
        last = (cumulative < self.mass * cumulative[:, -1:]).sum(axis=1)
        farthest = distances.take(order[np.arange(len(last)), last])
        return candidates.keep(distances <= farthest[:, None])
