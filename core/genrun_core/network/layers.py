"""The layers that Keras lacks: the window of a feed-forward model, dropout of whole words, a bias for tied logits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun_core.architectures import State, StepLayer
from genrun_core.recipes.sections import ModelSettings

__all__ = ["EmbeddingDropout", "LastTokens", "LogitBias", "dropout"]


@keras.saving.register_keras_serializable(package="genrun")
class LastTokens(StepLayer):
    """Shows each position the last ``count`` ids: int ``[batch, time]`` → ``[batch, time, count]``, oldest first.

    Before the beginning of a sequence stands id 0, the padding.
    """

    def __init__(self, count: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = count

    @property
    def states(self) -> tuple[State, ...]:
        """The ids before the token, if the window has more than one."""
        return (State((self.count - 1,), "int64"),) if self.count > 1 else ()

    def read(self, inputs: Any, states: Sequence[Any], training: bool) -> tuple[Any, list[Any]]:
        """Return the window of ids that ends at each position."""
        before = [keras.ops.cast(state, inputs.dtype) for state in states]
        joined = keras.ops.concatenate([*before, inputs], axis=1)
        length = keras.ops.shape(inputs)[1]
        windows = keras.ops.stack([joined[:, i : i + length] for i in range(self.count)], axis=-1)
        return windows, [joined[:, length:] for _ in states]

    def step(self, inputs: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        """Return the window of ids that ends at a token, ``[batch, count]``."""
        joined = inputs[:, None]
        if not states:
            return joined, []
        joined = tf.concat([*states, joined], axis=1)
        return joined, [joined[:, 1:]]

    def exact(
        self, weights: Mapping[str, NDArray[Any]], inputs: NDArray[Any], states: Sequence[NDArray[Any]]
    ) -> tuple[NDArray[Any], list[NDArray[Any]]]:
        """Return the same for NumPy's whole numbers."""
        if not states:
            return inputs[..., None], []
        joined = np.concatenate([*states, inputs[:, None]], axis=1)
        return joined, [joined[:, 1:]]

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the windows."""
        return (*input_shape, self.count)

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "count": self.count}


@keras.saving.register_keras_serializable(package="genrun")
class EmbeddingDropout(keras.layers.Layer):  # type: ignore[misc]
    """Drops words of the vocabulary, each wherever it stands in the batch: float ``[…, size]``, ids ``[…]`` → float.

    In training a share ``rate`` of the ``vocabulary`` becomes a vector of zeros, the others are scaled up by
    1 / (1 - rate). (Gal & Ghahramani, "A Theoretically Grounded Application of Dropout in Recurrent Neural Networks",
    2016.)
    """

    def __init__(self, vocabulary: int, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vocabulary = vocabulary
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, embedded: Any, tokens: Any, training: bool = False) -> Any:
        """Return the embedded tokens, those of dropped words zero."""
        if not training or not self.rate:
            return embedded
        kept = keras.ops.ones((self.vocabulary, 1), embedded.dtype)
        kept = keras.random.dropout(kept, self.rate, seed=self.seed_generator)  # [vocabulary, 1]
        return embedded * keras.ops.take(kept, tokens, axis=0)

    def compute_output_shape(
        self, embedded_shape: tuple[int | None, ...], tokens_shape: tuple[int | None, ...]
    ) -> tuple[int | None, ...]:
        """Return the shape of the embedded tokens."""
        return embedded_shape

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "vocabulary": self.vocabulary, "rate": self.rate}


@keras.saving.register_keras_serializable(package="genrun")
class LogitBias(keras.layers.Layer):  # type: ignore[misc]
    """Adds to the logits what every word has from its frequency alone: float ``[…, vocabulary]`` → the same."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the bias, zero at first."""
        self.bias = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="bias")

    def call(self, logits: Any) -> Any:
        """Return the logits with the bias."""
        return logits + keras.ops.cast(self.bias, logits.dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the same shape."""
        return input_shape


def dropout(
    model: ModelSettings, rate: float, name: str, dtype: str, *, in_time: bool = True
) -> Iterator[keras.Layer]:
    """Yield a layer that drops the share ``rate`` of its inputs, or nothing for a rate of 0.

    With ``locked_dropout``, inputs ``[batch, time, …]`` (``in_time``) keep one mask for a whole sequence.
    """
    if rate:
        kind = keras.layers.SpatialDropout1D if model.locked_dropout and in_time else keras.layers.Dropout
        yield kind(rate, name=name, dtype=dtype)
