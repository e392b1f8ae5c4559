"""Log-probabilities by the Keras network of a run."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun_core.network.body_and_head import Body, Head

__all__ = ["KerasScorer"]

_POSITIONS = 1024  # whose logits are held at once


class KerasScorer:
    """A network as a scorer; see :class:`genrun_core.evaluation.evaluation.Scorer`."""

    def __init__(self, network: keras.Model) -> None:
        self._body, self._head = Body(network), Head(network)

    def score(self, sequences: Sequence[tuple[int, ...]]) -> list[NDArray[np.float64]]:
        """Return, for each sequence of ids, the log-probability of every token but the first."""
        padded = np.zeros((len(sequences), max(2, *map(len, sequences))), np.int32)
        for row, sequence in zip(padded, sequences, strict=True):
            row[: len(sequence)] = sequence
        hidden, _ = self._body(padded[:, :-1], self._body.initial_states(len(sequences)), training=False)
        return [self._logs(hidden[i], sequence) for i, sequence in enumerate(sequences)]

    def carry(
        self, sequence: tuple[int, ...], states: list[tf.Tensor] | None
    ) -> tuple[NDArray[np.float64], list[tf.Tensor]]:
        """Return the same for one sequence that begins with ``states``, and the states for going on."""
        states = self._body.initial_states(1) if states is None else states
        if len(sequence) < 2:
            return np.zeros(0), states
        hidden, following = self._body(np.array([sequence[:-1]], np.int32), states, training=False)
        return self._logs(hidden[0], sequence), following

    def _logs(self, hidden: tf.Tensor, sequence: tuple[int, ...]) -> NDArray[np.float64]:
        parts = [np.zeros(0)]
        for first in range(0, len(sequence) - 1, _POSITIONS):
            wanted = np.array(sequence[first + 1 : first + 1 + _POSITIONS], np.int32)
            logits = self._head(hidden[first : first + len(wanted)])  # [positions, vocabulary]
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits)
            parts.append(-np.asarray(losses, np.float64))
        return np.concatenate(parts)
