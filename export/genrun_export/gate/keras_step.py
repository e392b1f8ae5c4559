"""A network run by Keras itself, in float32: one step with the states outside, or whole texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun_core.network.body_and_head import Body, Head

__all__ = ["KerasStep"]


class KerasStep:
    """Runs the layers as training and evaluation do, not the step that was exported."""

    def __init__(self, network: keras.Model) -> None:
        self._body, self._head = Body(network), Head(network)

    def step(self, tokens: NDArray[np.int64], states: Sequence[NDArray[Any]]) -> tuple[tf.Tensor, list[NDArray[Any]]]:
        """Feed int64 ``[batch]`` → hidden values ``[batch, hidden]`` and the next states."""
        fed = tf.constant(tokens[:, None], tf.int32)
        hidden, following = self._body(fed, [*map(tf.constant, states)], training=False)
        return hidden[:, -1], [np.asarray(state) for state in following]

    def read(self, tokens: NDArray[np.int64]) -> tf.Tensor:
        """Feed whole texts int64 ``[batch, time]`` from their beginning → hidden values ``[batch, time, hidden]``."""
        states = self._body.initial_states(len(tokens))
        return self._body(tf.constant(tokens, tf.int32), states, training=False)[0]

    def logits(self, hidden: tf.Tensor) -> NDArray[np.float32]:
        """Return the logits ``[batch, vocabulary]`` of hidden values."""
        return np.asarray(self._head(hidden))
