"""The layers of the architecture: a norm, and a block of attention and a feed-forward network.

Shapes: ``width`` is that of the hidden values, ``heads`` times ``part``; ``slots`` are the places of the window, the
oldest first, the token's own last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun_core.architectures import State, StepLayer

__all__ = ["Block", "Norm"]

Doubles = NDArray[np.float64]

_EPSILON = 1e-6
_OUTSIDE = -1e9  # the score of a slot that no token has


@keras.saving.register_keras_serializable(package="genrun_plugin_attention")
class Norm(StepLayer):
    """Scales each value to a mean square of 1 (Zhang & Sennrich, "Root Mean Square Layer Normalization", 2019)."""

    constants = (_EPSILON,)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the scale."""
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")

    def read(
        self, inputs: tf.Tensor, states: Sequence[tf.Tensor], training: bool
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Return the scaled sequences."""
        return _normalized(inputs, self.scale), []

    def step(self, inputs: tf.Tensor, states: Sequence[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Return the scaled values of a token."""
        return _normalized(inputs, self.scale), []

    def exact(
        self, weights: Mapping[str, Doubles], inputs: Doubles, states: Sequence[NDArray[Any]]
    ) -> tuple[Doubles, list[NDArray[Any]]]:
        """Return the same in NumPy."""
        return _exactly_normalized(inputs, weights["scale"]), []


@keras.saving.register_keras_serializable(package="genrun_plugin_attention")
class Block(StepLayer):
    """Attention to the last ``context`` tokens, then two products; each adds to what it is given.

    The states: the keys and the values of the tokens before, float32 ``[heads, context - 1, part]``, and how many of
    these slots have a token, int64 ``[1]``.
    """

    def __init__(self, heads: int, context: int, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads = heads
        self.context = context
        self.dropout = dropout
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights; the products that add to the input begin at zero, so a new block changes nothing."""
        width = int(input_shape[-1] or 0)
        self.part = width // self.heads
        self.attention_norm = self.add_weight(shape=(width,), initializer="ones", name="attention_norm")
        self.projections = self.add_weight(shape=(width, 3 * width), name="projections")
        self.distances = self.add_weight(shape=(self.heads, self.context), initializer="zeros", name="distances")
        self.joined = self.add_weight(shape=(width, width), initializer="zeros", name="joined")
        self.inner_norm = self.add_weight(shape=(width,), initializer="ones", name="inner_norm")
        self.inner = self.add_weight(shape=(width, 4 * width), name="inner")
        self.outer = self.add_weight(shape=(4 * width, width), initializer="zeros", name="outer")

    @property
    def constants(self) -> tuple[float, ...]:  # type: ignore[override]
        """The numbers in the step that are not trained."""
        return _EPSILON, _OUTSIDE, self._scale

    @property
    def states(self) -> tuple[State, ...]:
        """Keys, values, and the number of tokens that they are of."""
        past = State((self.heads, self.context - 1, self.part))
        return past, past, State((1,), "int64")

    def read(
        self, inputs: tf.Tensor, states: Sequence[tf.Tensor], training: bool
    ) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Read sequences, in chunks of at most ``context`` tokens, each with the window before it."""
        time, past = tf.shape(inputs)[1], self.context - 1
        parts = tf.split(_normalized(inputs, self.attention_norm) @ self.projections, 3, axis=-1)
        query, key, value = (self._by_head(part) for part in parts)  # [batch, heads, time, part]
        keys, values = tf.concat([states[0], key], 2), tf.concat([states[1], value], 2)
        attended = self._attended(query, keys, values, states[2])
        attended = tf.reshape(tf.transpose(attended, [0, 2, 1, 3]), tf.shape(inputs))
        hidden = inputs + self._dropped(attended @ self.joined, training)
        hidden += self._dropped(self._inner(hidden), training)
        seen = tf.minimum(states[2] + tf.cast(time, tf.int64), past)
        return hidden, [keys[:, :, time:], values[:, :, time:], seen]

    def step(self, inputs: tf.Tensor, states: Sequence[tf.Tensor]) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Read one token: the window moves on by a slot."""
        parts = tf.split(tf.matmul(_normalized(inputs, self.attention_norm), self.projections), 3, axis=-1)
        query, key, value = (tf.reshape(part, [-1, self.heads, 1, self.part]) for part in parts)
        keys, values = tf.concat([states[0], key], 2), tf.concat([states[1], value], 2)  # [batch, heads, slots, part]
        scores = tf.matmul(keys, tf.reshape(query, [-1, self.heads, self.part, 1]))
        scores = tf.reshape(scores, [-1, self.heads, self.context]) * self._scale + self.distances
        slots = tf.range(self.context, dtype=tf.int64)
        has_token = slots + states[2] >= self.context - 1  # [batch, slots]
        scores = tf.where(has_token[:, None], scores, _OUTSIDE)
        shares = tf.reshape(tf.nn.softmax(scores), [-1, self.heads, 1, self.context])
        attended = tf.reshape(tf.matmul(shares, values), [-1, self.heads * self.part])
        hidden = inputs + tf.matmul(attended, self.joined)
        hidden += self._inner(hidden)
        seen = tf.minimum(states[2] + 1, self.context - 1)
        return hidden, [keys[:, :, 1:], values[:, :, 1:], seen]

    def exact(
        self, weights: Mapping[str, Doubles], inputs: Doubles, states: Sequence[NDArray[Any]]
    ) -> tuple[Doubles, list[NDArray[Any]]]:
        """Return the step in NumPy, one head after the other."""
        before_keys, before_values, seen = states
        projected = _exactly_normalized(inputs, weights["attention_norm"]) @ weights["projections"]
        query, key, value = (part.reshape(-1, self.heads, self.part) for part in np.split(projected, 3, axis=1))
        keys = np.concatenate([before_keys, key[:, :, None]], axis=2)
        values = np.concatenate([before_values, value[:, :, None]], axis=2)
        ages = np.arange(self.context)[::-1]  # of the slots: 0 is the token itself
        attended = np.zeros_like(query)
        for head in range(self.heads):
            scores = np.einsum("bp,bsp->bs", query[:, head], keys[:, head]) / np.sqrt(self.part)
            scores = np.where(ages <= seen, scores + weights["distances"][head], -np.inf)
            shares = np.exp(scores - scores.max(axis=1, keepdims=True))
            shares /= shares.sum(axis=1, keepdims=True)
            attended[:, head] = np.einsum("bs,bsp->bp", shares, values[:, head])
        hidden = inputs + attended.reshape(len(inputs), -1) @ weights["joined"]
        inner = _exactly_normalized(hidden, weights["inner_norm"]) @ weights["inner"]
        hidden = hidden + inner * 0.5 * (1 + np.tanh(0.5 * inner)) @ weights["outer"]
        return hidden, [keys[:, :, 1:], values[:, :, 1:], np.minimum(seen + 1, self.context - 1)]

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        own = {"heads": self.heads, "context": self.context, "dropout": self.dropout}
        return {**super().get_config(), **own}

    @property
    def _scale(self) -> float:
        return float(np.float32(self.part**-0.5))

    def _by_head(self, values: tf.Tensor) -> tf.Tensor:
        """Return ``[batch, time, width]`` as ``[batch, heads, time, part]``."""
        rows, time = tf.unstack(tf.shape(values)[:2])
        return tf.transpose(tf.reshape(values, [rows, time, self.heads, self.part]), [0, 2, 1, 3])

    def _attended(self, query: tf.Tensor, keys: tf.Tensor, values: tf.Tensor, seen: tf.Tensor) -> tf.Tensor:
        """Return what each token attends to, ``[batch, heads, time, part]``.

        ``query``: ``[batch, heads, time, part]``; ``keys`` and ``values`` have the window before that as well. A
        chunk of queries meets its own keys and the window before, so the work grows with the time alone.
        """
        past, rows, time = self.context - 1, tf.shape(query)[0], tf.shape(query)[2]
        chunk = tf.minimum(time, self.context)
        chunks = -(-time // chunk)
        padding = [[0, 0], [0, 0], [0, chunks * chunk - time], [0, 0]]
        places = tf.range(chunks)[:, None] * chunk + tf.range(chunk + past)  # [chunks, chunk + past]
        near_keys, near_values = (tf.gather(tf.pad(each, padding), places, axis=2) for each in (keys, values))
        query = tf.reshape(tf.pad(query, padding), [rows, self.heads, chunks, chunk, self.part])
        slot = tf.range(chunk + past) - tf.range(chunk)[:, None]  # in the window of each query: [chunk, chunk + past]
        scores = tf.matmul(query, near_keys, transpose_b=True) * self._scale
        scores += tf.gather(tf.cast(self.distances, query.dtype), tf.clip_by_value(slot, 0, past), axis=1)[:, None]
        has_token = tf.cast(places, tf.int64) + seen[:, :, None] >= past  # [batch, chunks, chunk + past]
        allowed = has_token[:, None, :, None] & (slot >= 0) & (slot <= past)
        scores = tf.where(allowed, tf.cast(scores, tf.float32), _OUTSIDE)
        attended = tf.matmul(tf.cast(tf.nn.softmax(scores), query.dtype), near_values)
        return tf.reshape(attended, [rows, self.heads, chunks * chunk, self.part])[:, :, :time]

    def _inner(self, hidden: tf.Tensor) -> tf.Tensor:
        """Return what the feed-forward network adds: a product, SiLU, a product."""
        inner = tf.matmul(_normalized(hidden, self.inner_norm), self.inner)
        return tf.matmul(inner * tf.sigmoid(inner), self.outer)

    def _dropped(self, values: tf.Tensor, training: bool) -> tf.Tensor:
        if not (training and self.dropout):
            return values
        return keras.random.dropout(values, self.dropout, seed=self.seed_generator)


def _normalized(values: tf.Tensor, scale: tf.Tensor) -> tf.Tensor:
    return values * tf.math.rsqrt(tf.reduce_mean(values * values, axis=-1, keepdims=True) + _EPSILON) * scale


def _exactly_normalized(values: Doubles, scale: Doubles) -> Doubles:
    normalized: Doubles = values / np.sqrt((values * values).mean(axis=-1, keepdims=True) + _EPSILON) * scale
    return normalized
