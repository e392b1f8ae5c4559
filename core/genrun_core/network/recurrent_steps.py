"""The steps of Keras's recurrent layers: LSTM, GRU, SimpleRNN."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun_core.architectures import State

__all__ = ["RecurrentSteps"]

Doubles = NDArray[np.float64]
Cell = Callable[[Doubles, Sequence[Doubles]], list[Doubles]]  # input and states → next states, the output first


class RecurrentSteps:
    """A recurrent layer that returns its sequences and its states; see :mod:`genrun_core.network.layer_steps`."""

    constants: tuple[float, ...] = ()

    def __init__(self, layer: keras.layers.RNN) -> None:
        self._layer = layer
        self.states = tuple(State((int(size),)) for size in np.atleast_1d(layer.cell.state_size))

    def read(
        self, inputs: tf.Tensor, states: Sequence[tf.Tensor], *, training: bool
    ) -> tuple[tf.Tensor, Sequence[tf.Tensor]]:
        """Read sequences by the layer's own loop."""
        outputs, *following = self._layer(inputs, initial_state=list(states), training=training)
        return outputs, following

    def step(self, inputs: tf.Tensor, states: Sequence[tf.Tensor]) -> tuple[tf.Tensor, Sequence[tf.Tensor]]:
        """Read one token by the layer's cell."""
        outputs, following = self._layer.cell(inputs, list(states), training=False)
        return outputs, tf.nest.flatten(following)

    def exact(self) -> Callable[[NDArray[Any], Sequence[NDArray[Any]]], tuple[NDArray[Any], list[NDArray[Any]]]]:
        """Return the step in double precision."""
        cell = _cell(self._layer.cell)

        def step(inputs: NDArray[Any], states: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], list[NDArray[Any]]]:
            following = cell(inputs, states)
            return following[0], [*following]

        return step


def _cell(cell: keras.layers.Layer) -> Cell:
    """Return a step of a recurrent layer.

    The cells are Keras's: LSTM (Hochreiter & Schmidhuber 1997), GRU with the reset gate behind the product (Cho et
    al. 2014, "reset_after"), and the simple recurrent network of Elman 1990.
    """
    kernel, recurrent, bias = (
        np.asarray(weight).astype(np.float64) for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)
    )
    squash = _activation(cell.activation)

    def simple(inputs: Doubles, states: Sequence[Doubles]) -> list[Doubles]:
        return [squash(inputs @ kernel + states[0] @ recurrent + bias)]

    def lstm(inputs: Doubles, states: Sequence[Doubles]) -> list[Doubles]:
        i, f, g, o = np.split(inputs @ kernel + states[0] @ recurrent + bias, 4, axis=1)
        c = gate(f) * states[1] + gate(i) * squash(g)
        return [gate(o) * squash(c), c]

    def gru(inputs: Doubles, states: Sequence[Doubles]) -> list[Doubles]:
        z, r, candidate = np.split(inputs @ kernel + bias[0], 3, axis=1)
        of_z, of_r, of_candidate = np.split(states[0] @ recurrent + bias[1], 3, axis=1)
        z, r = gate(z + of_z), gate(r + of_r)
        return [z * states[0] + (1 - z) * squash(candidate + r * of_candidate)]

    if isinstance(cell, keras.layers.SimpleRNNCell):
        return simple
    gate = _activation(cell.recurrent_activation)
    return lstm if isinstance(cell, keras.layers.LSTMCell) else gru


def _activation(function: Callable[..., object]) -> Callable[[Doubles], Doubles]:
    """Return a Keras activation in double precision."""
    known: dict[str, Callable[[Doubles], Doubles]] = {"tanh": np.tanh, "sigmoid": _sigmoid}
    return known[function.__name__]


def _sigmoid(values: Doubles) -> Doubles:
    """Return 1 / (1 + exp(-values)), without overflow.

    >>> _sigmoid(np.array([0.0, -2000.0]))
    array([0.5, 0. ])
    """
    halved: Doubles = 0.5 * (1 + np.tanh(0.5 * values))
    return halved
