"""The stage ``xtc``: now and then without the most likely candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.errors import OptionError
from genrun.sampling import Candidates, own_draws
from genrun_plugins._checks import check_probability

__all__ = ["Xtc"]


@dataclass(frozen=True, slots=True)
class Xtc:
    """Excludes top choices: of the candidates from ``threshold`` on, only the least likely one stays.

    That happens with ``probability``, for each token; otherwise, and where fewer than two candidates are likely
    enough, nothing changes. (The sampler XTC by p-e-w, text-generation-webui and llama.cpp, 2024.) The coin follows
    from the row's draw, and all stages ``xtc`` of a chain share it. Of equally likely candidates, the last one stays.
    ``threshold``: above 0 and at most 0.5, since no two candidates can have more than that. ``probability``: 0 to 1.

    >>> candidates = Candidates(None, np.log(np.array([[0.5, 0.3, 0.2]], np.float32)), 3)
    >>> Xtc(0.25, probability=1).apply(candidates, [None], np.zeros(1, np.float32)).logits > -np.inf
    array([[False,  True,  True]])
    """

    threshold: float = 0.1
    probability: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 0.5:
            raise OptionError(f"threshold must be above 0 and at most 0.5, not {self.threshold!r}")
        check_probability("probability", self.probability, zero=True)

    def apply(self, candidates: Candidates, states: Sequence[None], draws: NDArray[np.float32]) -> Candidates:
        """Return the candidates without the likeliest ones in rows whose coin says so, in the same order."""
        struck = own_draws(draws, "xtc") < self.probability  # [batch]
        if not struck.any():
            return candidates
        probabilities = candidates.probabilities()
        likely = probabilities >= self.threshold
        struck &= likely.sum(axis=1) > 1
        descending = np.where(likely, probabilities, 2.0)[:, ::-1]
        stays = likely.shape[1] - 1 - descending.argmin(axis=1)  # the last of the least likely ones
        likely[np.arange(len(stays)), stays] = False
        return candidates.keep(~(likely & struck[:, None]))
