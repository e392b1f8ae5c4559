"""The layers that Keras lacks, and where the dropouts of a network stand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genrun_core.backend import prepare_backend
from support.tiny import VOCABULARY, model_of

prepare_backend()

import keras  # noqa: E402

from genrun_core.network.architecture import build_network  # noqa: E402
from genrun_core.network.layers import EmbeddingDropout, LogitBias  # noqa: E402
from support.keras_files import load_network  # noqa: E402


def test_a_dropped_word_is_dropped_wherever_it_stands_and_the_others_are_scaled_up() -> None:
    keras.utils.set_random_seed(3)
    tokens = np.random.default_rng(0).integers(0, VOCABULARY, (16, 40))
    embedded = np.ones((16, 40, 6), np.float32)
    dropped = np.asarray(EmbeddingDropout(VOCABULARY, 0.25)(embedded, tokens, training=True))
    of_words = [np.unique(dropped[tokens == word]) for word in range(VOCABULARY)]
    assert all(len(values) == 1 for values in of_words)
    values = np.concatenate(of_words)
    assert set(np.round(values, 5)) == {0.0, np.float32(np.round(1 / 0.75, 5))}


def test_the_share_of_dropped_words_is_the_rate_and_drawn_anew_for_each_batch() -> None:
    keras.utils.set_random_seed(3)
    layer = EmbeddingDropout(1000, 0.25)
    tokens = np.arange(1000)[None]
    masks = [np.asarray(layer(np.ones((1, 1000, 1), np.float32), tokens, training=True)) for _ in range(10)]
    assert np.mean([mask == 0 for mask in masks]) == pytest.approx(0.25, abs=0.03)
    assert len({mask.tobytes() for mask in masks}) == 10


def test_no_word_is_dropped_outside_training() -> None:
    embedded = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    tokens = np.zeros((2, 5), np.int32)
    layer = EmbeddingDropout(VOCABULARY, 0.9)
    np.testing.assert_array_equal(layer(embedded, tokens), embedded)
    np.testing.assert_array_equal(layer(embedded, tokens, training=False), embedded)


def test_the_bias_of_the_logits_begins_at_zero_and_is_added() -> None:
    layer, logits = LogitBias(), np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    np.testing.assert_array_equal(layer(logits), logits)
    layer.set_weights([np.array([1, 0, -2], np.float32)])
    np.testing.assert_array_equal(layer(logits), logits + np.array([1, 0, -2]))


@pytest.mark.parametrize("architecture", ["lstm", "window"])
def test_every_layer_is_saved_with_the_network(architecture: str, tmp_path: Path) -> None:
    rates = {"dropout": 0.4, "input_dropout": 0.3, "embedding_dropout": 0.2, "locked_dropout": True}
    network = build_network(model_of(architecture, tied=True, **rates), VOCABULARY)
    network.get_layer("logits").set_weights([np.linspace(-1, 1, VOCABULARY)])
    network.save(tmp_path / "model.keras")
    loaded = load_network(tmp_path / "model.keras")
    tokens = np.array([[3, 7, 2]], np.int32)
    np.testing.assert_array_equal(np.asarray(network(tokens)), np.asarray(loaded(tokens)))
    assert [layer.get_config() for layer in loaded.layers] == [layer.get_config() for layer in network.layers]
    assert loaded.get_layer("embedding_dropout").rate == 0.2


def values_after(layer: str, **settings: Any) -> Any:
    """What a training network passes on after one of its layers: ``[batch, time, size]``."""
    keras.utils.set_random_seed(1)
    network = build_network(model_of(embedding_size=64, hidden_size=64, **settings), VOCABULARY)
    seen = keras.Model(network.input, network.get_layer(layer).output)
    return np.asarray(seen(np.random.default_rng(0).integers(0, VOCABULARY, (8, 12)), training=True))


@pytest.mark.parametrize("layer", ["input_dropout", "dropout_1", "dropout_2"])
def test_locked_dropout_keeps_one_mask_over_time_and_another_for_each_text(layer: str) -> None:
    rates = {"input_dropout": 0.5, "dropout": 0.5, "layers": 2}
    locked = values_after(layer, locked_dropout=True, **rates) == 0
    assert (locked == locked[:, :1]).all()
    assert 0.4 < locked.mean() < 0.6
    assert len({mask.tobytes() for mask in locked}) == len(locked)
    free = values_after(layer, **rates) == 0
    assert (free != free[:, :1]).mean() > 0.3


def test_dropout_stands_only_where_it_was_asked_for() -> None:
    def dropouts(**settings: Any) -> list[str]:
        network = build_network(model_of(layers=2, **settings), VOCABULARY)
        return [layer.name for layer in network.layers if "dropout" in layer.name]

    assert dropouts() == []
    assert dropouts(input_dropout=0.1) == ["input_dropout"]
    assert dropouts(dropout=0.1) == ["dropout_1", "dropout_2"]
    assert dropouts(embedding_dropout=0.1) == ["embedding_dropout"]


@pytest.mark.parametrize("architecture", ["lstm", "gru", "simple-rnn"])
def test_recurrent_dropout_touches_the_state_alone(architecture: str) -> None:
    """The first step has no state yet, so it is the same with and without."""
    keras.utils.set_random_seed(1)
    network = build_network(model_of(architecture, recurrent_dropout=0.5), VOCABULARY)
    body = keras.Model(network.input, network.get_layer("recurrent_1").output[0])
    tokens = np.random.default_rng(0).integers(0, VOCABULARY, (4, 6))
    sure, dropped = np.asarray(body(tokens, training=False)), np.asarray(body(tokens, training=True))
    np.testing.assert_allclose(sure[:, 0], dropped[:, 0], atol=1e-6)
    assert np.abs(sure[:, 1:] - dropped[:, 1:]).max() > 1e-3
