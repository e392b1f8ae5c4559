"""The decoder and stage ``top-k``: the k most likely tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.sampling import Candidates, inverse_cdf, top_k
from genrun_plugins._checks import check_whole
from genrun_plugins.decoders.temperature import check_temperature, divided

__all__ = ["TopK"]


@dataclass(frozen=True, slots=True)
class TopK:
    """Keeps the ``k`` highest logits and draws from them (Fan et al., "Hierarchical Neural Story Generation", 2018).

    Exactly ``k`` candidates remain, of equal logits those with the lowest ids; a ``k`` above the vocabulary means all
    tokens. The candidates of the inverse CDF are in the order of falling probability. ``temperature``: as in the
    decoder ``temperature``. Raises OptionError for k below 1 or a temperature of 0 or below.

    >>> logits = np.array([[3.0, 1.0, 2.0, 2.0]], np.float32)
    >>> TopK(k=2).choose(logits, [], np.array([0.99], np.float32))
    array([2])
    """

    k: int = 40
    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_whole("k", self.k, 1)
        check_temperature(self.temperature)

    def choose(
        self,
        logits: NDArray[np.float32],
        tokens: Sequence[NDArray[np.int64]],
        draws: NDArray[np.float32],
    ) -> NDArray[np.int64]:
        """Return int64 ``[batch]`` for logits float32 ``[batch, vocabulary]`` and draws ``[batch]``."""
        candidates = top_k(logits, self.k)  # [batch, k]
        rows = np.arange(len(logits))
        columns = inverse_cdf(logits[rows[:, None], candidates], draws, self.temperature)  # [batch]
        chosen: NDArray[np.int64] = candidates[rows, columns]
        return chosen

    def apply(self, candidates: Candidates, states: Sequence[None], draws: NDArray[np.float32]) -> Candidates:
        """Return the ``k`` highest candidates, the highest first, divided by the temperature."""
        kept = candidates.top(self.k)
        return kept if self.temperature == 1 else divided(kept, self.temperature)

    def parameters(self) -> Mapping[str, float]:
        """Return k and temperature, with which a model file's graph chooses the same."""
        return {"k": self.k, "temperature": self.temperature}
