"""How each layer of a network reads a sequence, takes one step, and computes that step in double precision.

Training, scoring, the exported step and the gate of the export all ask this, so none of them knows a layer's class.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun_core.architectures import State, StepLayer
from genrun_core.network.layers import EmbeddingDropout
from genrun_core.network.recurrent_steps import RecurrentSteps

__all__ = ["ExactStep", "LayerSteps", "UnknownLayer", "own_name", "steps_of"]

Doubles = NDArray[np.float64]
ExactStep = Callable[[NDArray[Any], Sequence[NDArray[Any]]], tuple[NDArray[Any], list[NDArray[Any]]]]


class UnknownLayer(TypeError):
    """A layer that takes no steps; its name and class are the message."""


class LayerSteps(Protocol):
    """A layer as everything else sees it; see :class:`~genrun_core.architectures.StepLayer` for the shapes."""

    states: tuple[State, ...]
    constants: tuple[float, ...]

    def read(
        self, inputs: tf.Tensor, states: Sequence[tf.Tensor], *, training: bool
    ) -> tuple[tf.Tensor, Sequence[tf.Tensor]]:
        """Read sequences, and return the outputs and the states after them."""

    def step(self, inputs: tf.Tensor, states: Sequence[tf.Tensor]) -> tuple[tf.Tensor, Sequence[tf.Tensor]]:
        """Read one token, and return the output and the next states."""

    def exact(self) -> ExactStep:
        """Return the step in double precision, with the weights as they are now.

        Of a layer without states it takes inputs of any number of tokens.
        """


def steps_of(layer: keras.layers.Layer) -> LayerSteps:
    """Return the steps of a layer; raises UnknownLayer for one that has none."""
    if isinstance(layer, StepLayer):
        return _OwnSteps(layer)
    for kind, steps in _KNOWN.items():
        if isinstance(layer, kind):
            return steps(layer)
    raise UnknownLayer(f"layer {layer.name!r} ({type(layer).__name__})")


def own_name(weight: keras.Variable) -> str:
    """Return what a weight is called in its layer: ``bias``, ``recurrent_kernel``."""
    return str(weight.path.rpartition("/")[2])


class _OwnSteps:
    """The steps of a layer that has them itself."""

    def __init__(self, layer: StepLayer) -> None:
        self._layer = layer
        self.states: tuple[State, ...] = tuple(layer.states)
        self.constants: tuple[float, ...] = tuple(layer.constants)

    def read(
        self, inputs: tf.Tensor, states: Sequence[tf.Tensor], *, training: bool
    ) -> tuple[tf.Tensor, Sequence[tf.Tensor]]:
        outputs, following = self._layer(inputs, states=list(states), training=training)
        return outputs, following

    def step(self, inputs: tf.Tensor, states: Sequence[tf.Tensor]) -> tuple[tf.Tensor, Sequence[tf.Tensor]]:
        return self._layer.step(inputs, states)

    def exact(self) -> ExactStep:
        weights = {own_name(weight): np.asarray(weight).astype(np.float64) for weight in self._layer.weights}
        return partial(self._layer.exact, weights)


class _WithoutStates:
    """The steps of a Keras layer that looks at each token alone."""

    states: tuple[State, ...] = ()
    constants: tuple[float, ...] = ()

    def __init__(self, layer: keras.layers.Layer) -> None:
        self._layer = layer

    def read(
        self, inputs: tf.Tensor, states: Sequence[tf.Tensor], *, training: bool
    ) -> tuple[tf.Tensor, Sequence[tf.Tensor]]:
        return self._layer(inputs), ()

    def step(self, inputs: tf.Tensor, states: Sequence[tf.Tensor]) -> tuple[tf.Tensor, Sequence[tf.Tensor]]:
        return self._layer(inputs), ()

    def exact(self) -> ExactStep:
        return lambda inputs, states: (self._values(inputs), [])

    def _values(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """Return what the layer makes of its inputs, in double precision."""
        return inputs


class _DropoutSteps(_WithoutStates):
    """Dropout: something in training only."""

    def read(
        self, inputs: tf.Tensor, states: Sequence[tf.Tensor], *, training: bool
    ) -> tuple[tf.Tensor, Sequence[tf.Tensor]]:
        return self._layer(inputs, training=training), ()

    def step(self, inputs: tf.Tensor, states: Sequence[tf.Tensor]) -> tuple[tf.Tensor, Sequence[tf.Tensor]]:
        return inputs, ()


class _EmbeddingSteps(_WithoutStates):
    def step(self, inputs: tf.Tensor, states: Sequence[tf.Tensor]) -> tuple[tf.Tensor, Sequence[tf.Tensor]]:
        return tf.gather(self._layer.embeddings, inputs), ()  # [batch, …] → [batch, …, embedding]

    def _values(self, inputs: NDArray[Any]) -> NDArray[Any]:
        values: Doubles = np.asarray(self._layer.embeddings)[inputs].astype(np.float64)
        return values


class _ReshapeSteps(_WithoutStates):
    """A window's vectors, side by side, in inputs ``[batch, time, window, embedding]``; in a step without time."""

    def step(self, inputs: tf.Tensor, states: Sequence[tf.Tensor]) -> tuple[tf.Tensor, Sequence[tf.Tensor]]:
        return tf.reshape(inputs, [-1, self._layer.target_shape[-1]]), ()

    def _values(self, inputs: NDArray[Any]) -> NDArray[Any]:
        return inputs.reshape(*inputs.shape[:2], self._layer.target_shape[-1])


class _DenseSteps(_WithoutStates):
    def __init__(self, layer: keras.layers.Layer) -> None:
        super().__init__(layer)
        name = layer.activation.__name__
        if name not in _ACTIVATIONS:
            raise UnknownLayer(f"layer {layer.name!r} (Dense with activation {name})")

    def _values(self, inputs: NDArray[Any]) -> NDArray[Any]:
        values: Doubles = inputs @ np.asarray(self._layer.kernel).astype(np.float64)
        if self._layer.use_bias:
            values += np.asarray(self._layer.bias)
        return _ACTIVATIONS[self._layer.activation.__name__](values)


_ACTIVATIONS: dict[str, Callable[[Doubles], Doubles]] = {
    "tanh": np.tanh,
    "linear": np.asarray,
    "relu": lambda values: np.maximum(values, 0.0),
}
_KNOWN: dict[Any, Callable[[keras.layers.Layer], LayerSteps]] = {
    (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN): RecurrentSteps,
    keras.layers.Embedding: _EmbeddingSteps,
    keras.layers.Dropout: _DropoutSteps,
    EmbeddingDropout: _DropoutSteps,  # in training it is called with the tokens
    keras.layers.Reshape: _ReshapeSteps,
    keras.layers.Dense: _DenseSteps,
}
