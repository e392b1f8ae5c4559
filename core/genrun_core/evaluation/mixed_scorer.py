"""Log-probabilities by a network that is mixed with an n-gram model."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genrun_core.counting import CountingModel, Mixture

if TYPE_CHECKING:
    from genrun_core.evaluation.evaluation import Scorer

__all__ = ["MixedScorer"]


class MixedScorer:
    """A mixture as a scorer; see :class:`genrun_core.evaluation.evaluation.Scorer`."""

    def __init__(self, network: Scorer, model: CountingModel, mixture: Mixture) -> None:
        self._network = network
        self._model = model
        self._mixture = mixture

    def score(self, sequences: Sequence[tuple[int, ...]]) -> list[NDArray[np.float64]]:
        """Return, for each sequence of ids, the log-probability of every token but the first."""
        network = self._network.score(sequences)
        offsets = np.cumsum([0, *map(len, sequences)])
        counted = self._model.counted(np.fromiter(chain.from_iterable(sequences), np.int32), offsets)
        mixed = self._mixture.mix(np.concatenate([np.zeros(0), *network]), counted)
        return np.split(mixed, np.cumsum([len(logs) for logs in network])[:-1])

    def carry(self, sequence: tuple[int, ...], states: Any) -> tuple[NDArray[np.float64], Any]:
        """Return the same for one sequence that begins with ``states`` (None: none), and those for going on.

        They are the network's, and the tokens before: one more than a context has, so that they begin a text only
        where the text begins.
        """
        of_network, before = states or (None, ())
        network, of_network = self._network.carry(sequence, of_network)
        ids = np.array(before + sequence, np.int32)
        counted = self._model.counted(ids, np.array([0, len(ids)]))
        predicted = np.arange(max(len(ids) - 1, 0)) >= len(before)
        kept = (before + sequence[:-1])[-self._model.order :]
        return self._mixture.mix(network, counted.where(predicted)), (of_network, kept)
