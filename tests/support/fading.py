"""An architecture of the tests' own: a layer that remembers what it said, half of it, and counts its tokens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun_core.architectures import Architecture, State, StepLayer
from genrun_core.recipes.sections import ModelSettings

__all__ = ["Fading", "Memory"]

_HALF = 0.5


@keras.saving.register_keras_serializable(package="genrun_tests")
class Memory(StepLayer):
    """tanh(input · kernel + half of what it said before), float32; and how many tokens came, int64."""

    constants = (_HALF,)
    float32_weights = ("kernel",)

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.kernel = self.add_weight(shape=(input_shape[-1], self.units), name="kernel")

    @property
    def states(self) -> tuple[State, ...]:
        return State((self.units,)), State((1,), "int64")

    def read(
        self, inputs: tf.Tensor, states: Sequence[tf.Tensor], training: bool
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        def step(before: tf.Tensor, projected: tf.Tensor) -> tf.Tensor:
            return tf.tanh(projected + _HALF * before)

        projected = tf.transpose(inputs @ self.kernel, [1, 0, 2])  # [time, batch, units]
        outputs = tf.scan(step, projected, states[0])
        seen = states[1] + tf.cast(tf.shape(inputs)[1], tf.int64)
        return tf.transpose(outputs, [1, 0, 2]), [outputs[-1], seen]

    def step(self, inputs: tf.Tensor, states: Sequence[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        output = tf.tanh(tf.matmul(inputs, self.kernel) + _HALF * states[0])
        return output, [output, states[1] + 1]

    def exact(
        self, weights: Mapping[str, NDArray[np.float64]], inputs: NDArray[Any], states: Sequence[NDArray[Any]]
    ) -> tuple[NDArray[Any], list[NDArray[Any]]]:
        output = np.tanh(inputs @ weights["kernel"] + states[0] / 2)
        return output, [output, states[1] + 1]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@dataclass(frozen=True, slots=True)
class Fading(Architecture):
    """One layer of memory."""

    uses = ()

    def weights(self, model: ModelSettings) -> Mapping[str, int]:
        return {"memory": model.embedding_size * model.hidden_size}

    def layers(self, model: ModelSettings, dtype: str) -> Iterable[keras.layers.Layer]:
        yield Memory(model.hidden_size, name="memory", dtype=dtype)
