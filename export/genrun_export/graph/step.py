"""One decoding step of a trained network: the same weights, one token at a time, with the state carried outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import keras
import tensorflow as tf

from genrun.errors import ExportError
from genrun_core.network.layers import EmbeddingDropout, LastTokens, LogitBias

__all__ = ["Step", "make_step", "named_weights"]


@dataclass(frozen=True, slots=True)
class Step:
    """A step as a TensorFlow function.

    ``function(token int64 [batch], *states)`` returns a dictionary with ``logits`` float32 ``[batch, vocabulary]``
    and ``state.k.next`` for every state. ``states`` are the signatures of the states, in order; ``weights`` are the
    variables that the function reads, as :func:`named_weights` names them.
    """

    function: Callable[..., dict[str, tf.Tensor]]
    states: tuple[tf.TensorSpec, ...]
    weights: Mapping[str, keras.Variable]


@dataclass(slots=True)
class _Walk:
    """A token on its way through the layers: its hidden value, and the states it takes and leaves."""

    hidden: tf.Tensor
    states: Iterator[tf.Tensor]
    following: list[tf.Tensor] = field(default_factory=list)


def make_step(network: keras.Model) -> Step:
    """Return the step of ``network``; raises ExportError for a layer that has no step form."""
    layers = network.layers
    specs = [spec for layer in layers for spec in _state_specs(layer)]
    named = tuple(tf.TensorSpec([None, *shape], dtype, f"state.{i}") for i, (shape, dtype) in enumerate(specs))

    def step(token: tf.Tensor, *states: tf.Tensor) -> dict[str, tf.Tensor]:
        walk = _Walk(token, iter(states))
        for layer in layers[:-1]:
            _pass(layer, walk)
        walk.hidden = _logits(network, walk.hidden)
        following = {f"state.{i}.next": state for i, state in enumerate(walk.following)}
        return {"logits": walk.hidden, **following}

    return Step(step, named, named_weights(network))


def named_weights(network: keras.Model) -> dict[str, keras.Variable]:
    """Return the weights of a network by layer and own name: ``embedding.embeddings``, ``recurrent_1.bias``, …"""
    parts = ((weight, weight.path.split("/")) for weight in network.weights)
    return {f"{layer}.{inner[-1]}": weight for weight, [layer, *inner] in parts}


def _state_specs(layer: keras.layers.Layer) -> list[tuple[list[int], tf.DType]]:
    """Return shape (without batch) and dtype of the states that a layer carries from step to step."""
    if isinstance(layer, keras.layers.RNN):
        return [([size], tf.float32) for size in tf.nest.flatten(layer.cell.state_size)]
    if isinstance(layer, LastTokens) and layer.count > 1:
        return [([layer.count - 1], tf.int64)]
    return []


def _logits(network: keras.Model, hidden: tf.Tensor) -> tf.Tensor:
    """Return the logits ``[batch, vocabulary]``, from the embedding's vectors if the network is tied to them."""
    last = network.layers[-1]
    if isinstance(last, LogitBias):
        vectors = network.get_layer("embedding").embeddings  # [vocabulary, embedding]
        return tf.matmul(hidden, vectors, transpose_b=True) + last.bias
    if isinstance(last, keras.layers.Dense):
        return last(hidden)
    raise ExportError(f"the last layer, {last.name!r} ({type(last).__name__}), makes no logits")


def _pass(layer: keras.layers.Layer, walk: _Walk) -> None:
    """Take the token through one layer."""
    if isinstance(layer, (keras.layers.InputLayer, keras.layers.Dropout, EmbeddingDropout)):
        return
    if isinstance(layer, keras.layers.Embedding):
        walk.hidden = tf.gather(layer.embeddings, walk.hidden)  # [batch, …] → [batch, …, embedding]
    elif isinstance(layer, keras.layers.RNN):
        carried = [next(walk.states) for _ in _state_specs(layer)]
        walk.hidden, following = layer.cell(walk.hidden, carried, training=False)
        walk.following += tf.nest.flatten(following)
    elif isinstance(layer, LastTokens):
        walk.hidden = walk.hidden[:, None]  # [batch, 1]
        if layer.count > 1:
            walk.hidden = tf.concat([next(walk.states), walk.hidden], axis=1)  # [batch, count]
            walk.following.append(walk.hidden[:, 1:])
    elif isinstance(layer, keras.layers.Reshape):
        walk.hidden = tf.reshape(walk.hidden, [-1, layer.target_shape[-1]])  # [batch, window · embedding]
    elif isinstance(layer, keras.layers.Dense):
        walk.hidden = layer(walk.hidden)
    else:
        raise ExportError(f"layer {layer.name!r} ({type(layer).__name__}) cannot be exported as a decoding step")
