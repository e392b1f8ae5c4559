"""What an epoch changes in the tokens it shows: it hides rare words, and replaces some of the words that are read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun_core.training.batching.input_noise import InputNoise
from genrun_core.training.batching.rare_words import RareWords

__all__ = ["EpochNoise"]


@dataclass(frozen=True, slots=True, eq=False)
class EpochNoise:
    """Both changes, each of which may be missing (None)."""

    rare: RareWords | None = None
    inputs: InputNoise | None = None

    def shown(
        self, tokens: NDArray[np.int32], random: np.random.Generator
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the tokens as they are predicted, and as they are read, both of the shape of ``tokens``."""
        predicted = tokens if self.rare is None else self.rare.hidden(tokens, random)
        return predicted, predicted if self.inputs is None else self.inputs.replaced(predicted, random)

    def expected(self, frequencies: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return ``frequencies`` int64 ``[vocabulary]``, with the unknown words that an epoch has on average."""
        return frequencies if self.rare is None else self.rare.expected(frequencies)
