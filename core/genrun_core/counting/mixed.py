"""What is mixed with a network: an n-gram model, its weight, and the words of the text so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun_core.counting.mixture import Mixture
from genrun_core.counting.model import CountingModel
from genrun_core.counting.recent import RecentWords, count_recent

__all__ = ["Mixed"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """An n-gram model, its mixture with a network, and the fingerprint of that network's ``weights``.

    ``recent``: how much recent words count beside that mixture, None for not at all.
    """

    model: CountingModel
    mixture: Mixture
    weights: str
    recent: RecentWords | None = None

    @property
    def reach(self) -> int:
        """How many of the last tokens decide about the next one, the network aside, and one more.

        With one more, the first of them begins a text only where the text begins.
        """
        return max(self.model.order, 0 if self.recent is None else self.recent.reach) + 1

    def mix(self, network: Array, ids: NDArray[np.int32], offsets: NDArray[np.int64]) -> Array:
        """Return the log-probabilities of every token but the first of each document, from the network's.

        ``ids``: the documents, one after another; ``offsets`` int64 ``[documents + 1]``: where each begins.
        """
        mixed = self.mixture.mix(network, self.model.counted(ids, offsets))
        return mixed if self.recent is None else self.recent.mix(mixed, count_recent(ids, offsets, self.recent.size))

    def mix_next(self, network: Array, tokens: Sequence[int]) -> Array:
        """Return the log-probabilities ``[vocabulary]`` of what follows ``tokens``, from the network's.

        ``tokens``: all of the text so far.
        """
        before = np.array(tokens, np.int64)
        mixed = self.mixture.mix(network, self.model.counted_after(self.model.contexts(before)))
        return mixed if self.recent is None else self.recent.mix_next(mixed, before)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return it as named arrays, for :func:`numpy.savez`."""
        arrays = self.model.to_arrays() | self.mixture.to_arrays()
        if self.recent is not None:
            arrays |= self.recent.to_arrays()
        return arrays | {"network": np.frombuffer(self.weights.encode(), np.uint8)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], model: CountingModel) -> Mixed:
        """Return what :meth:`to_arrays` was asked of, ``model`` checked; raises KeyError or ValueError if damaged."""
        weights = arrays["network"].tobytes().decode()
        mixture = Mixture.from_arrays(arrays, levels=model.order)
        return cls(model, mixture, weights, RecentWords.from_arrays(arrays))
