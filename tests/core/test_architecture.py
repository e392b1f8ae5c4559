"""Networks: their sizes, that padding teaches nothing, and the window model against plain NumPy."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genrun
from genrun_core.backend import prepare_backend, seed_everything
from genrun_core.batches import IGNORED, Batches
from genrun_core.corpus import TokenShards
from genrun_core.recipe import ModelSettings, TrainingSettings, load_recipe

prepare_backend()

from genrun_core.architecture import build_network, count_parameters, load_network  # noqa: E402
from genrun_core.fitting import Fitting  # noqa: E402


@pytest.mark.parametrize(
    ("recipe", "vocabulary", "parameters"),
    [
        ("nyt-headlines", 11_753, 1_348_983),
        ("racetrack", 12, 10 * 12 + 32 * (10 + 32 + 1) + 12 * 33),
        ("april-2018", 3_494, 10 * 3_494 + 4 * 128 * (10 + 128 + 1) + 3_494 * 129),
    ],
)
def test_reference_shapes_have_the_reference_number_of_parameters(
    recipe: str, vocabulary: int, parameters: int
) -> None:
    assert build_network(load_recipe(recipe).model, vocabulary).count_params() == parameters


@pytest.mark.parametrize("architecture", ["lstm", "gru", "simple-rnn", "window"])
@pytest.mark.parametrize("layers", [1, 3])
def test_the_number_of_parameters_is_known_beforehand(architecture: str, layers: int) -> None:
    layers = 1 if architecture == "window" else layers
    settings = ModelSettings(architecture, embedding_size=5, hidden_size=7, layers=layers)
    assert count_parameters(settings, 11) == build_network(settings, 11).count_params()


@pytest.mark.parametrize("architecture", ["lstm", "gru", "simple-rnn", "window"])
def test_logits_depend_on_no_later_token(architecture: str) -> None:
    network = build_network(ModelSettings(architecture, embedding_size=4, hidden_size=8), 20)
    tokens = np.array([[3, 7, 2, 9, 4]], np.int32)
    changed = tokens.copy()
    changed[0, 3:] = [1, 1]
    before, after = np.asarray(network(tokens)), np.asarray(network(changed))
    assert before.shape == (1, 5, 20)
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert not np.allclose(before[:, 3:], after[:, 3:])


def test_the_window_model_is_bengios() -> None:
    network = build_network(ModelSettings("window", embedding_size=3, hidden_size=5, window=3), 7)
    embedding, hidden, bias, dense, dense_bias = network.get_weights()
    tokens = [4, 6, 1, 2]
    expected = []
    for position in range(len(tokens)):
        window = ([0, 0, *tokens])[position : position + 3]  # the padding stands before the first token
        joined = np.concatenate([embedding[token] for token in window])
        expected.append(np.tanh(joined @ hidden + bias) @ dense + dense_bias)
    np.testing.assert_allclose(np.asarray(network(np.array([tokens], np.int32)))[0], expected, atol=1e-5)


@pytest.mark.parametrize("architecture", ["lstm", "window"])
def test_a_saved_network_loads_again_with_the_same_logits(architecture: str, tmp_path: Path) -> None:
    network = build_network(ModelSettings(architecture, embedding_size=4, hidden_size=8, dropout=0.5), 20)
    tokens = np.array([[3, 7, 2]], np.int32)
    network.save(tmp_path / "model.keras")
    loaded = load_network(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(network(tokens)), np.asarray(loaded(tokens)))


def test_a_damaged_network_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(b"not a zip file")
    with pytest.raises(genrun.RunFolderError, match=r"model\.keras cannot be loaded"):
        load_network(tmp_path / "model.keras")


def fitting_of(lengths: list[int], **settings: Any) -> Fitting:
    """A fitting over random documents of the given lengths, always the same."""
    seed_everything(0)
    ids = np.random.default_rng(0).integers(1, 20, sum(lengths)).astype(np.int32)
    shards = TokenShards(ids, np.cumsum([0, *lengths], dtype=np.int64))
    chosen = dataclasses.replace(TrainingSettings(), **settings)
    batches = Batches(
        shards,
        np.arange(len(lengths)),
        batch_size=chosen.batch_size,
        sequence_length=chosen.sequence_length,
        seed=chosen.seed,
    )
    nothing = Batches(shards, np.arange(0), batch_size=1, sequence_length=1, seed=0)
    network = build_network(ModelSettings("gru", embedding_size=4, hidden_size=8), 20)
    return Fitting(network, chosen, batches, nothing)


def test_padding_enters_neither_loss_nor_metrics() -> None:
    fitting = fitting_of([3, 9, 5, 2])
    together = fitting.evaluate(fitting.training.in_order())
    total = tokens = hits = 0.0
    for inputs, targets in fitting.training.in_order():
        logits = np.asarray(fitting.network(inputs), np.float64)
        log_probability = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        for row, position in np.argwhere(targets != IGNORED):
            total -= log_probability[row, position, targets[row, position]]
            hits += logits[row, position].argmax() == targets[row, position]
            tokens += 1
    assert tokens == 3 + 9 + 5 + 2 - 4
    assert together["val_loss"] == pytest.approx(total / tokens, rel=1e-5)
    assert together["val_accuracy"] == pytest.approx(hits / tokens)
    assert together["val_perplexity"] == pytest.approx(np.exp(total / tokens), rel=1e-5)


def test_a_batch_teaches_the_same_whatever_it_is_padded_to() -> None:
    one, other = fitting_of([4, 4]), fitting_of([4, 4])
    inputs, targets = next(one.training.in_order())
    padded_inputs = np.pad(inputs, ((0, 0), (0, 6)))
    padded_targets = np.pad(targets, ((0, 0), (0, 6)), constant_values=IGNORED)
    one._train_step(inputs, targets)
    other._train_step(padded_inputs, padded_targets)
    for a, b in zip(one.network.get_weights(), other.network.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
