"""The chooser ``draw``: one of the candidates, by their probabilities. It is the one of a chain that names none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.sampling import Candidates, inverse_cdf

__all__ = ["Draw"]


@dataclass(frozen=True, slots=True)
class Draw:
    """Draws by inverse CDF over the candidates, in the order in which the stages leave them. It has no options.

    That is the order of the ids, or of falling logits after ``top-k``. (Inverse transform sampling: Devroye,
    "Non-Uniform Random Variate Generation", 1986, chapter III.2.)

    >>> candidates = Candidates(None, np.log(np.array([[0.2, 0.3, 0.5]], np.float32)), 3)
    >>> Draw().pick(candidates, [None], np.array([0.4], np.float32))
    array([1])
    """

    def pick(self, candidates: Candidates, states: Sequence[None], draws: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return int64 ``[batch]`` for draws float32 ``[batch]``."""
        return candidates.ids_at(inverse_cdf(candidates.logits, draws))

    def parameters(self) -> Mapping[str, float]:
        """Return k and temperature, with which a model file's graph chooses the same."""
        return {"k": -1}
