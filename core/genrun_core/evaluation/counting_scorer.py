"""Log-probabilities by the n-gram model of a run, alone or mixed with a network."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genrun_core.counting.mixed import Mixed
from genrun_core.counting.model import CountingModel

if TYPE_CHECKING:
    from genrun_core.evaluation.evaluation import Scorer

__all__ = ["CountingScorer", "MixedScorer"]


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


class MixedScorer:
    """A mixture as a scorer; see :class:`genrun_core.evaluation.evaluation.Scorer`."""

    def __init__(self, network: Scorer, mixed: Mixed) -> None:
        self._network = network
        self._mixed = mixed

    def score(self, sequences: Sequence[tuple[int, ...]]) -> list[NDArray[np.float64]]:
        """Return, for each sequence of ids, the log-probability of every token but the first."""
        network = self._network.score(sequences)
        offsets = np.cumsum([0, *map(len, sequences)])
        ids = np.fromiter(chain.from_iterable(sequences), np.int32)
        mixed = self._mixed.mix(np.concatenate([np.zeros(0), *network]), ids, offsets)
        return np.split(mixed, np.cumsum([len(logs) for logs in network])[:-1])

    def carry(self, sequence: tuple[int, ...], states: Any) -> tuple[NDArray[np.float64], Any]:
        """Return the same for one sequence that begins with ``states`` (None: none), and those for going on.

        They are the network's, and the tokens before.
        """
        of_network, before = states or (None, ())
        network, of_network = self._network.carry(sequence, of_network)
        ids = np.array(before + sequence, np.int32)
        known = np.zeros(max(len(ids) - 1, 0))  # the tokens before are predicted too, by nothing
        known[len(before) :] = network
        mixed = self._mixed.mix(known, ids, np.array([0, len(ids)]))[len(before) :]
        return mixed, (of_network, (before + sequence[:-1])[-self._mixed.reach :])
