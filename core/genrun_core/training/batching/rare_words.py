"""Words that occur once, some of which an epoch reads as unknown ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["RareWords"]


@dataclass(frozen=True, slots=True, eq=False)
class RareWords:
    """Words of the vocabulary that occur once in what is trained on: ``once``, bool ``[vocabulary]``.

    A word that is new to a model is much like these. Where each of them is read as ``unknown``, the id of ``<unk>``,
    with probability ``rate``, a network learns how likely a new word is, and what follows it.
    """

    once: NDArray[np.bool_]
    unknown: int
    rate: float

    @classmethod
    def of(cls, frequencies: NDArray[np.int64], unknown: int | None, rate: float) -> RareWords | None:
        """Return the words with a frequency, int64 ``[vocabulary]``, of one; None if none would be hidden.

        ``unknown``: None for a vocabulary without ``<unk>``.
        """
        once = frequencies == 1
        return None if unknown is None or not rate or not once.any() else cls(once, unknown, rate)

    def hidden(self, tokens: NDArray[np.int32], random: np.random.Generator) -> NDArray[np.int32]:
        """Return ``tokens``, of any shape, with some of these words read as unknown ones.

        >>> words = RareWords(np.array([False, False, True]), unknown=0, rate=1.0)
        >>> words.hidden(np.array([[1, 2, 1]], np.int32), np.random.default_rng(0)).tolist()
        [[1, 0, 1]]
        """
        chosen = self.once[tokens]
        chosen[chosen] = random.random(int(chosen.sum())) < self.rate
        return np.where(chosen, np.int32(self.unknown), tokens)

    def expected(self, frequencies: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return ``frequencies``, with as many unknown words as an epoch has on average."""
        found = frequencies.copy()
        found[self.unknown] += round(self.rate * int(self.once.sum()))
        return found
