"""Log-probabilities by the n-gram model of a run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from genrun_core.counting.model import CountingModel

__all__ = ["CountingScorer"]


class CountingScorer:
    """An n-gram model as a scorer; see :class:`genrun_core.evaluation.evaluation.Scorer`."""

    def __init__(self, model: CountingModel) -> None:
        self._model = model

    def score(self, sequences: Sequence[tuple[int, ...]]) -> list[NDArray[np.float64]]:
        """Return, for each sequence of ids, the log-probability of every token but the first."""
        offsets = np.cumsum([0, *map(len, sequences)])
        logs = self._model.score(np.fromiter(chain.from_iterable(sequences), np.int32), offsets)
        return np.split(logs, np.cumsum([max(len(sequence) - 1, 0) for sequence in sequences])[:-1])

    def carry(
        self, sequence: tuple[int, ...], states: tuple[int, ...] | None
    ) -> tuple[NDArray[np.float64], tuple[int, ...]]:
        """Return the same for one sequence that begins after the tokens ``states``, and those for going on.

        They are one more than a context has, so that they begin a text only where the text begins.
        """
        before = states or ()
        [logs] = self.score([before + sequence])
        kept = (before + sequence[:-1])[-self._model.order :]
        return logs[len(before) :], kept
