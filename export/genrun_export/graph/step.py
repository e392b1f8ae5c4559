"""One decoding step of a trained network: the same weights, one token at a time, with the state carried outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras
import tensorflow as tf

from genrun.errors import ExportError
from genrun_core.network.layer_steps import UnknownLayer, own_name, steps_of
from genrun_core.network.layers import LogitBias

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


def make_step(network: keras.Model) -> Step:
    """Return the step of ``network``; raises ExportError for a layer that has no step form."""
    try:
        layers = [steps_of(layer) for layer in network.layers[1:-1]]
    except UnknownLayer as error:
        raise ExportError(f"{error} cannot be exported as a decoding step") from error
    carried = [state for layer in layers for state in layer.states]
    named = tuple(tf.TensorSpec([None, *state.shape], state.dtype, f"state.{i}") for i, state in enumerate(carried))

    def step(token: tf.Tensor, *states: tf.Tensor) -> dict[str, tf.Tensor]:
        hidden, waiting, following = token, iter(states), list[tf.Tensor]()
        for layer in layers:
            hidden, left = layer.step(hidden, [next(waiting) for _ in layer.states])
            following += left
        after = {f"state.{i}.next": state for i, state in enumerate(following)}
        return {"logits": _logits(network, hidden), **after}

    return Step(step, named, named_weights(network))


def named_weights(network: keras.Model) -> dict[str, keras.Variable]:
    """Return the weights of a network by layer and own name: ``embedding.embeddings``, ``recurrent_1.bias``, …

    Raises ExportError if two weights of a layer have one name.
    """
    named: dict[str, keras.Variable] = {}
    for weight in network.weights:
        name = f"{weight.path.split('/')[0]}.{own_name(weight)}"
        if name in named:
            raise ExportError(f"two weights of the network are called {name}: each needs a name of its own")
        named[name] = weight
    return named


def _logits(network: keras.Model, hidden: tf.Tensor) -> tf.Tensor:
    """Return the logits ``[batch, vocabulary]``, from the embedding's vectors if the network is tied to them."""
    last = network.layers[-1]
    if isinstance(last, LogitBias):
        vectors = network.get_layer("embedding").embeddings  # [vocabulary, embedding]
        return tf.matmul(hidden, vectors, transpose_b=True) + last.bias
    if isinstance(last, keras.layers.Dense):
        return last(hidden)
    raise ExportError(f"the last layer, {last.name!r} ({type(last).__name__}), makes no logits")
