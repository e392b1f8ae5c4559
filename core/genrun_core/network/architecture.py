"""The networks: token ids int32 ``[batch, time]`` → logits float32 ``[batch, time, vocabulary]``.

Each is a plain functional Keras model whose last layer makes the logits. Any of them can be taken apart again into
one decoding step, which is what the export does.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun.errors import PluginError
from genrun_core.network.layers import EmbeddingDropout, LogitBias, dropout
from genrun_core.recipes.sections import ModelSettings

__all__ = ["as_array", "build_network", "count_parameters", "fingerprint"]

_KERAS_PRECISION = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
_TIED_SCALE = 0.05  # the vectors are logit weights too: near zero, so that all words begin about equally likely


def build_network(
    settings: ModelSettings, vocabulary: int, *, precision: str = "float32", blank: bool = False
) -> keras.Model:
    """Return a new network with freshly drawn weights, which are float32 whatever it computes with.

    ``blank``: all weights are 0, for a network that gets those of another; drawing them takes seconds if it is large.
    """
    with _zeros() if blank else contextlib.nullcontext():
        tokens = keras.Input((None,), dtype="int32", name="tokens")
        build = _Builder(settings, vocabulary, _KERAS_PRECISION[precision])
        logits = build.logits(build.hidden(build.embedded(tokens)))
        network = keras.Model(tokens, logits, name=re.sub(r"\W", "_", settings.architecture))
    _check_weights(settings, network)
    return network


@contextlib.contextmanager
def _zeros() -> Iterator[None]:
    """Have the weights of all layers begin with 0."""
    add_weight = keras.Layer.add_weight

    def zeros(layer: keras.Layer, shape: Any = None, initializer: Any = None, *rest: Any, **more: Any) -> Any:
        return add_weight(layer, shape, "zeros", *rest, **more)

    keras.Layer.add_weight = zeros
    try:
        yield
    finally:
        keras.Layer.add_weight = add_weight


def count_parameters(settings: ModelSettings, vocabulary: int) -> int:
    """Return how many parameters :func:`build_network` would make, without making them.

    >>> count_parameters(ModelSettings("lstm", embedding_size=10, hidden_size=100), 11_753)
    1348983
    """
    width, hidden = settings.embedding_size, settings.hidden_size
    count = vocabulary * width + vocabulary
    if not settings.tied:
        count += vocabulary * hidden
    elif width != hidden:
        count += width * hidden
    return count + sum(settings.plugin.weights(settings).values())


def _check_weights(settings: ModelSettings, network: keras.Model) -> None:
    """Raise PluginError unless the layers have the weights that the architecture has announced."""
    announced = settings.plugin.weights(settings)
    there = {layer.name: layer.count_params() for layer in network.layers if layer.count_params()}
    for name in {**announced, **{name: 0 for name in there if name not in settings.trained_layers}}:
        if announced.get(name, 0) != there.get(name, 0):
            raise PluginError(
                f"architecture {settings.architecture!r} announces {announced.get(name, 0):,} weights for a layer "
                f"{name!r}, which has {there.get(name, 0):,}"
            )


def fingerprint(network: keras.Model) -> str:
    """Return a hash of the weights, the same for the same bits."""
    digest = hashlib.blake2b(digest_size=16)
    for weight in network.weights:  # one at a time in memory
        digest.update(np.ascontiguousarray(as_array(weight)).data)
    return digest.hexdigest()


def as_array(value: Any) -> NDArray[Any]:
    """Return a variable, a tensor or an array as an array, which is read-only and no copy where that is possible.

    It must not be used after the variable has changed.
    """
    if isinstance(value, keras.Variable):
        value = value.value
    return np.asarray(tf.convert_to_tensor(value) if isinstance(value, tf.Variable) else value)


class _Builder:
    """Puts the layers of one network together."""

    def __init__(self, settings: ModelSettings, vocabulary: int, dtype: str) -> None:
        self.settings = settings
        self.vocabulary = vocabulary
        self.dtype = dtype
        if settings.tied:
            start = keras.initializers.RandomUniform(-_TIED_SCALE, _TIED_SCALE)
            self.embedding = keras.layers.ReversibleEmbedding(
                vocabulary, settings.embedding_size, embeddings_initializer=start, name="embedding", dtype=dtype
            )
        else:
            self.embedding = keras.layers.Embedding(
                vocabulary, settings.embedding_size, name="embedding", dtype=dtype
            )

    def embedded(self, tokens: Any) -> Any:
        """Return the vectors of the tokens, ``[batch, time, embedding]``, as the network is to see them."""
        settings, ids = self.settings, _through(tokens, self.settings.plugin.before_embedding(self.settings))
        hidden = self.embedding(ids)
        if settings.embedding_dropout:
            drop = EmbeddingDropout(
                self.vocabulary, settings.embedding_dropout, name="embedding_dropout", dtype=self.dtype
            )
            hidden = drop(hidden, ids)
        in_time = len(hidden.shape) == 3
        return _through(
            hidden, dropout(settings, settings.input_dropout, "input_dropout", self.dtype, in_time=in_time)
        )

    def hidden(self, embedded: Any) -> Any:
        """Return what the architecture's layers make of the vectors, ``[batch, time, hidden]``."""
        hidden = _through(embedded, self.settings.plugin.layers(self.settings, self.dtype))
        if hidden.shape[-1] != self.settings.hidden_size:
            raise PluginError(
                f"architecture {self.settings.architecture!r} makes values of {hidden.shape[-1]}, "
                f"not of hidden_size={self.settings.hidden_size}"
            )
        return hidden

    def logits(self, hidden: Any) -> Any:
        """Return the logits, ``[batch, time, vocabulary]``."""
        settings = self.settings
        if not settings.tied:
            return keras.layers.Dense(self.vocabulary, name="logits", dtype=self.dtype)(hidden)
        if settings.hidden_size != settings.embedding_size:
            projection = keras.layers.Dense(
                settings.embedding_size, use_bias=False, name="projection", dtype=self.dtype
            )
            hidden = projection(hidden)
        return LogitBias(name="logits", dtype=self.dtype)(self.embedding(hidden, reverse=True))


def _through(values: Any, layers: Iterable[keras.layers.Layer]) -> Any:
    """Return what layers make of values, one after the other; of a recurrent layer's outputs the first."""
    for layer in layers:
        outputs = layer(values)
        values = outputs[0] if isinstance(outputs, (list, tuple)) else outputs
    return values
