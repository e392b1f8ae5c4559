"""The stage ``dynamic-temperature``: low where the model is sure, high where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.errors import OptionError
from genrun.sampling import Candidates
from genrun_plugins._checks import check_number
from genrun_plugins.decoders.temperature import divided

__all__ = ["DynamicTemperature"]


@dataclass(frozen=True, slots=True)
class DynamicTemperature:
    """Divides the logits of each row by a temperature between ``low`` and ``high`` that follows from its entropy H.

    temperature = low + (high - low) · (H / log n) ** exponent, where n candidates are left; ``low`` for a single one.
    (The "entropy" sampling of llama.cpp, ``--dynatemp-range``; compare Zhang et al., "EDT: Improving Large Language
    Models' Generation by Entropy-based Dynamic Temperature Sampling", 2024.) ``low``: above 0; ``high``: not below
    ``low``; ``exponent``: above 0.

    >>> even = Candidates(None, np.zeros((1, 4), np.float32) + np.float32(3), 4)
    >>> DynamicTemperature(low=0.5, high=1.5).apply(even, [None], np.zeros(1, np.float32)).logits.tolist()
    [[2.0, 2.0, 2.0, 2.0]]
    """

    low: float = 0.5
    high: float = 1.5
    exponent: float = 1.0

    def __post_init__(self) -> None:
        for name in ("low", "high", "exponent"):
            check_number(name, getattr(self, name), above=0)
        if self.high < self.low:
            raise OptionError(f"high must not be below low, {self.low!r}, not {self.high!r}")

    def apply(self, candidates: Candidates, states: Sequence[None], draws: NDArray[np.float32]) -> Candidates:
        """Return the same candidates with divided logits."""
        left = (candidates.logits > -np.inf).sum(axis=1)
        share = np.clip(candidates.entropy() / np.log(np.maximum(left, 2)), 0, 1)  # [batch]
        temperatures = self.low + (self.high - self.low) * share**self.exponent
        return divided(candidates, temperatures[:, None])
