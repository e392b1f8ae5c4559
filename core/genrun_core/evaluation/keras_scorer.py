"""Log-probabilities by the Keras network of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun_core.network.body_and_head import Body, Head

__all__ = ["KerasScorer"]

_POSITIONS = 1024  # whose logits are held at once
_PADDED = 8192  # tokens, padding included, that are read at once
_UNCOMPILED = 500  # steps that take less time than compiling does


class KerasScorer:
    """A network as a scorer; see :class:`genrun_core.evaluation.evaluation.Scorer`."""

    def __init__(self, network: keras.Model) -> None:
        self._body, self._head = Body(network), Head(network)
        self._compiled: Any = None
        self._steps = 0

    def score(self, sequences: Sequence[tuple[int, ...]]) -> list[NDArray[np.float64]]:
        """Return, for each sequence of ids, the log-probability of every token but the first."""
        found: list[NDArray[np.float64]] = [np.zeros(0)] * len(sequences)
        for group in _groups(sequences):
            longest = len(sequences[group[-1]])
            if longest > _PADDED:
                found[group[0]] = self._carried_on(sequences[group[0]])
                continue
            padded = np.zeros((len(group), max(2, longest)), np.int32)
            for row, i in zip(padded, group, strict=True):
                row[: len(sequences[i])] = sequences[i]
            hidden, _ = self._read(padded[:, :-1], self._body.initial_states(len(group)))
            for at, i in enumerate(group):
                found[i] = self._logs(hidden[at], sequences[i])
        return found

    def carry(
        self, sequence: tuple[int, ...], states: list[tf.Tensor] | None
    ) -> tuple[NDArray[np.float64], list[tf.Tensor]]:
        """Return the same for one sequence that begins with ``states``, and the states for going on."""
        states = self._body.initial_states(1) if states is None else states
        if len(sequence) < 2:
            return np.zeros(0), states
        hidden, following = self._read(np.array([sequence[:-1]], np.int32), states)
        return self._logs(hidden[0], sequence), following

    def _read(self, tokens: NDArray[np.int32], states: list[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Return the hidden values after tokens int32 ``[batch, time]``, and the states; compiled for long texts."""
        self._steps += tokens.shape[1]
        if self._steps <= _UNCOMPILED:
            return self._body(tokens, states, training=False)
        if self._compiled is None:
            specs = [tf.TensorSpec([None, *state.shape], state.dtype) for state in self._body.states]
            signature = tf.TensorSpec([None, None], tf.int32), specs
            self._compiled = tf.function(
                partial(self._body, training=False), input_signature=signature, autograph=False
            )
        hidden, following = self._compiled(tokens, states)
        return hidden, following

    def _carried_on(self, sequence: tuple[int, ...]) -> NDArray[np.float64]:
        """Return the same for a long sequence, of which a part is held at once."""
        parts, states = [], None
        for first in range(0, len(sequence) - 1, _PADDED):
            logs, states = self.carry(sequence[first : first + _PADDED + 1], states)
            parts.append(logs)
        return np.concatenate(parts)

    def _logs(self, hidden: tf.Tensor, sequence: tuple[int, ...]) -> NDArray[np.float64]:
        parts = [np.zeros(0)]
        for first in range(0, len(sequence) - 1, _POSITIONS):
            wanted = np.array(sequence[first + 1 : first + 1 + _POSITIONS], np.int32)
            logits = self._head(hidden[first : first + len(wanted)])  # [positions, vocabulary]
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits)
            parts.append(-np.asarray(losses, np.float64))
        return np.concatenate(parts)


def _groups(sequences: Sequence[tuple[int, ...]]) -> Iterator[list[int]]:
    """Yield the numbers of sequences that are read together: of about one length, in a bounded number of tokens."""
    group: list[int] = []
    for i in sorted(range(len(sequences)), key=lambda number: len(sequences[number])):
        if group and (len(group) + 1) * len(sequences[i]) > _PADDED:
            yield group
            group = []
        group.append(i)
    if group:
        yield group
