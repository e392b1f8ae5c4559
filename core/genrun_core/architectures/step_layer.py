"""A Keras layer that reads a whole sequence, takes a single step, and knows that step in double precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun_core.architectures.contract import State

__all__ = ["StepLayer"]

Doubles = NDArray[np.float64]


class StepLayer(keras.layers.Layer):  # type: ignore[misc]
    """Base of a layer that carries states from token to token.

    A subclass makes its weights in ``build`` with ``add_weight``, each with its own name, and defines
    :meth:`read`, :meth:`step` and :meth:`exact`, which compute the same: for a whole sequence in training, for one
    token in the model file, and for one token in NumPy's float64, which the export compares the file with.
    """

    constants: tuple[float, ...] = ()
    """The fractional numbers other than weights that :meth:`step` computes with, such as an epsilon.

    A file with any other number is refused, since it was not trained; a 1 needs no mention.
    """
    float32_weights: tuple[str, ...] = ()
    """The matrices that quantization leaves as they are, by their own names."""

    @property
    def states(self) -> tuple[State, ...]:
        """The states that the layer carries, in order; none by default."""
        return ()

    def read(
        self, inputs: tf.Tensor, states: Sequence[tf.Tensor], training: bool
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Read ``[batch, time, …]`` from ``states``; return the outputs ``[batch, time, …]`` and the states after.

        No output depends on a later token.
        """
        raise NotImplementedError

    def step(self, inputs: tf.Tensor, states: Sequence[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Read one token: ``[batch, …]`` → ``[batch, …]`` and the next states, each in its own dtype.

        It becomes the graph of the model file. So its cost must not depend on how many tokens came before, and no
        row may look at another.
        """
        raise NotImplementedError

    def exact(
        self, weights: Mapping[str, Doubles], inputs: Doubles, states: Sequence[NDArray[Any]]
    ) -> tuple[Doubles, list[NDArray[Any]]]:
        """Compute :meth:`step` in NumPy, in float64, written without looking at ``step``.

        ``weights``: by their own names. Float states come and go as float64, whole numbers as they are. A layer
        without states is given ``[batch, time, …]``.
        """
        raise NotImplementedError

    def call(self, inputs: tf.Tensor, states: Sequence[tf.Tensor] | None = None, training: bool = False) -> Any:
        """Return the outputs of sequences that begin; with ``states``, of those that go on, and the states after."""
        if states is not None:
            return self.read(inputs, states, training)
        rows = tf.shape(inputs)[0]
        first = [tf.zeros([rows, *state.shape], state.dtype) for state in self.states]
        first = [tf.cast(state, inputs.dtype) if state.dtype.is_floating else state for state in first]
        return self.read(inputs, first, training)[0]
