"""The networks: token ids int32 ``[batch, time]`` → logits float32 ``[batch, time, vocabulary]``.

Each is a plain functional Keras model whose last layer makes the logits. Any of them can be taken apart again into
one decoding step, which is what the export does.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import keras

from genrun.errors import RunFolderError, one_line
from genrun_core.network.layers import EmbeddingDropout, LastTokens, LogitBias
from genrun_core.network.lstm import FastLSTM
from genrun_core.recipes.sections import ModelSettings

__all__ = ["build_network", "count_parameters", "fingerprint", "load_network"]

_RECURRENT = {  # each with what it calls recurrent dropout
    "lstm": (FastLSTM, "state_dropout"),
    "gru": (keras.layers.GRU, "recurrent_dropout"),
    "simple-rnn": (keras.layers.SimpleRNN, "recurrent_dropout"),
}
_KERAS_PRECISION = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
_TIED_SCALE = 0.05  # the vectors are logit weights too: near zero, so that all words begin about equally likely


def build_network(settings: ModelSettings, vocabulary: int, *, precision: str = "float32") -> keras.Model:
    """Return a new network with freshly drawn weights, which are float32 whatever it computes with."""
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    build = _Builder(settings, vocabulary, _KERAS_PRECISION[precision])
    hidden = build.window(tokens) if settings.architecture == "window" else build.recurrent(tokens)
    return keras.Model(tokens, build.logits(hidden), name=settings.architecture.replace("-", "_"))


def load_network(path: Path) -> keras.Model:
    """Load a file that Keras saved, by what it says about its layers; raises RunFolderError if it cannot be read.

    For a file that is trusted: :mod:`genrun_core.network.network_file` loads the one of a run folder by its recipe.
    """
    try:
        return keras.saving.load_model(path, compile=False)
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise RunFolderError(f"{path} cannot be loaded as a Keras model: {one_line(error)}") from error


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
    if settings.architecture == "window":
        return count + hidden * (settings.window * width + 1)
    gates, biases = {"lstm": (4, 1), "gru": (3, 2), "simple-rnn": (1, 1)}[settings.architecture]
    inputs = width + (settings.layers - 1) * hidden
    return count + gates * hidden * (inputs + settings.layers * (hidden + biases))


def fingerprint(network: keras.Model) -> str:
    """Return a hash of the weights, the same for the same bits."""
    digest = hashlib.blake2b(digest_size=16)
    for weight in network.get_weights():
        digest.update(weight.tobytes())
    return digest.hexdigest()


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

    def recurrent(self, tokens: Any) -> Any:
        """Return the outputs of the last recurrent layer, ``[batch, time, hidden]``."""
        settings, hidden = self.settings, self._embedded(tokens)
        layer, dropout = _RECURRENT[settings.architecture]
        for number in range(1, settings.layers + 1):
            hidden, *_ = layer(
                settings.hidden_size,
                return_sequences=True,
                return_state=True,
                **{dropout: settings.recurrent_dropout},
                name=f"recurrent_{number}",
                dtype=self.dtype,
            )(hidden)
            hidden = self._dropped(hidden, settings.dropout, f"dropout_{number}")
        return hidden

    def window(self, tokens: Any) -> Any:
        """Return the hidden layer of the last tokens' vectors, ``[batch, time, hidden]``."""
        settings = self.settings
        embedded = self._embedded(LastTokens(settings.window, name="window")(tokens))  # [batch, time, window, size]
        width = settings.window * settings.embedding_size
        joined = keras.layers.Reshape((-1, width), name="joined", dtype=self.dtype)(embedded)
        hidden = keras.layers.Dense(settings.hidden_size, activation="tanh", name="hidden", dtype=self.dtype)(joined)
        return self._dropped(hidden, settings.dropout, "dropout_1")

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

    def _embedded(self, tokens: Any) -> Any:
        settings, hidden = self.settings, self.embedding(tokens)
        if settings.embedding_dropout:
            drop = EmbeddingDropout(
                self.vocabulary, settings.embedding_dropout, name="embedding_dropout", dtype=self.dtype
            )
            hidden = drop(hidden, tokens)
        return self._dropped(hidden, settings.input_dropout, "input_dropout")

    def _dropped(self, hidden: Any, rate: float, name: str) -> Any:
        if not rate:
            return hidden
        locked = self.settings.locked_dropout and len(hidden.shape) == 3
        layer = keras.layers.SpatialDropout1D if locked else keras.layers.Dropout
        return layer(rate, name=name, dtype=self.dtype)(hidden)
