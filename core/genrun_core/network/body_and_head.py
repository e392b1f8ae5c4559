"""A network taken apart for training: its body, with the states outside, and the head that makes the logits."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun.errors import OptionError
from genrun_core.architectures import State
from genrun_core.network.layer_steps import steps_of
from genrun_core.network.layers import EmbeddingDropout, LogitBias

__all__ = ["Body", "Head", "freeze_layers", "frequency_bias"]


class Body:
    """The network up to what its logits are made of; it shares the weights.

    The layers are a chain, in the order in which the network lists them. ``states``: those that they carry.
    """

    def __init__(self, network: keras.Model) -> None:
        self._layers = [(layer, steps_of(layer)) for layer in network.layers[1:-1]]
        self.states: list[State] = [state for _, steps in self._layers for state in steps.states]

    def __call__(
        self, tokens: tf.Tensor, states: Sequence[tf.Tensor], *, training: bool
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Run over tokens int32 ``[batch, time]`` from ``states``, ``[batch, …]`` each, as ``self.states`` says.

        Returns the last hidden values ``[batch, time, hidden]`` and the states after the last token.
        """
        hidden = ids = tokens
        left, following = list(states), []
        for layer, steps in self._layers:
            if isinstance(layer, keras.layers.Embedding):
                ids = hidden
            if isinstance(layer, EmbeddingDropout):
                hidden = layer(hidden, ids, training=training)
                continue
            taken = [left.pop(0) for _ in steps.states]
            hidden, after = steps.read(hidden, taken, training=training)
            following += [tf.cast(value, state.dtype) for value, state in zip(after, steps.states, strict=True)]
        return hidden, following

    def initial_states(self, rows: int | tf.Tensor) -> list[tf.Tensor]:
        """Return the states before the first token, ``[rows, …]`` each."""
        return [tf.zeros([rows, *state.shape], state.dtype) for state in self.states]


class Head:
    """What turns hidden values ``[tokens, hidden]`` into logits float32 ``[tokens, vocabulary]``."""

    def __init__(self, network: keras.Model) -> None:
        self._last = network.layers[-1]
        self.bias: keras.Variable = self._last.bias
        self._embedding = network.get_layer("embedding") if isinstance(self._last, LogitBias) else None
        names = {layer.name for layer in network.layers}
        self._projection = network.get_layer("projection") if "projection" in names else None

    @property
    def scaled(self) -> keras.layers.Layer | None:
        """The layer whose kernel scales all logits, bias aside, and nothing else; None if there is no such layer."""
        return self._last if self._embedding is None else self._projection

    @property
    def tied_vectors(self) -> keras.Variable:
        """The vectors of the words, ``[vocabulary, hidden]``; raises OptionError if the logits have their own."""
        if self._embedding is None:
            raise OptionError("sampled_softmax needs tied=true: it takes the vectors of single words")
        return self._embedding.embeddings

    def __call__(self, hidden: tf.Tensor) -> tf.Tensor:
        """Return the logits of all words."""
        if self._embedding is not None:
            hidden = self._embedding(hidden, reverse=True)
        return tf.cast(self._last(hidden), tf.float32)


def frequency_bias(frequencies: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the logarithm of each word's share, one added to each frequency: float32 ``[vocabulary]``."""
    smoothed = frequencies + 1.0
    bias: NDArray[np.float32] = np.log(smoothed / smoothed.sum()).astype(np.float32)
    return bias


def freeze_layers(network: keras.Model, names: Sequence[str]) -> None:
    """Exclude layers from training, by the names that :meth:`ModelSettings.check_frozen` accepts."""
    for name in names:
        network.get_layer(name).trainable = False
