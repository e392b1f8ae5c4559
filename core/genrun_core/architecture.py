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
from genrun_core.recipe import ModelSettings

__all__ = ["LastTokens", "body_and_head", "build_network", "count_parameters", "fingerprint", "load_network"]

_RECURRENT = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple-rnn": keras.layers.SimpleRNN}


@keras.saving.register_keras_serializable(package="genrun")
class LastTokens(keras.layers.Layer):  # type: ignore[misc]
    """Shows each position the last ``count`` ids: int ``[batch, time]`` → ``[batch, time, count]``, oldest first.

    Before the beginning of a sequence stands id 0, the padding.
    """

    def __init__(self, count: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = count

    def call(self, tokens: Any) -> Any:
        """Return the window of ids that ends at each position."""
        padded = keras.ops.pad(tokens, [[0, 0], [self.count - 1, 0]])
        length = keras.ops.shape(tokens)[1]
        return keras.ops.stack([padded[:, i : i + length] for i in range(self.count)], axis=-1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape of the windows."""
        return (*input_shape, self.count)

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer."""
        return {**super().get_config(), "count": self.count}


def build_network(settings: ModelSettings, vocabulary: int) -> keras.Model:
    """Return a new network with freshly drawn weights."""
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    if settings.architecture == "window":
        hidden = _window(settings, vocabulary, tokens)
    else:
        hidden = _recurrent(settings, vocabulary, tokens)
    logits = keras.layers.Dense(vocabulary, name="logits")(hidden)
    return keras.Model(tokens, logits, name=settings.architecture.replace("-", "_"))


def load_network(path: Path) -> keras.Model:
    """Load a network that training saved; raises RunFolderError if it cannot be read."""
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
    count = vocabulary * width + vocabulary * (hidden + 1)
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


def body_and_head(network: keras.Model) -> tuple[keras.Model, keras.layers.Dense]:
    """Return the network up to its last hidden states, and the layer that makes logits of them, weights shared."""
    head = network.layers[-1]
    return keras.Model(network.inputs[0], head.input), head


def _recurrent(settings: ModelSettings, vocabulary: int, tokens: Any) -> Any:
    hidden = keras.layers.Embedding(vocabulary, settings.embedding_size, name="embedding")(tokens)
    layer = _RECURRENT[settings.architecture]
    for number in range(1, settings.layers + 1):
        hidden = layer(settings.hidden_size, return_sequences=True, name=f"recurrent_{number}")(hidden)
        hidden = _dropout(settings, number, hidden)
    return hidden


def _window(settings: ModelSettings, vocabulary: int, tokens: Any) -> Any:
    window = LastTokens(settings.window, name="window")(tokens)  # [batch, time, window]
    embedded = keras.layers.Embedding(vocabulary, settings.embedding_size, name="embedding")(window)
    joined = keras.layers.Reshape((-1, settings.window * settings.embedding_size), name="joined")(embedded)
    hidden = keras.layers.Dense(settings.hidden_size, activation="tanh", name="hidden")(joined)
    return _dropout(settings, 1, hidden)


def _dropout(settings: ModelSettings, number: int, hidden: Any) -> Any:
    if not settings.dropout:
        return hidden
    return keras.layers.Dropout(settings.dropout, name=f"dropout_{number}")(hidden)
