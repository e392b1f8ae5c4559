"""Networks: their sizes, known beforehand, what they look at, and the window model against plain NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genrun_core.backend import prepare_backend
from genrun_core.recipes.recipe import load_recipe
from genrun_core.recipes.sections import ModelSettings

prepare_backend()

from genrun_core.network.architecture import build_network, count_parameters  # noqa: E402
from genrun_core.network.network_file import save_network  # noqa: E402
from support.keras_files import load_network  # noqa: E402


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


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("architecture", ["lstm", "gru", "simple-rnn", "window"])
@pytest.mark.parametrize(
    "shape",
    [{"hidden_size": 7}, {"hidden_size": 7, "tied": True}, {"hidden_size": 5, "tied": True}],
    ids=["own logits", "tied, projected", "tied"],
)
def test_parameters_and_their_layers_are_known_beforehand(
    architecture: str, layers: int, shape: dict[str, Any]
) -> None:
    layers = 1 if architecture == "window" else layers
    settings = ModelSettings(architecture, embedding_size=5, layers=layers, **shape)
    network = build_network(settings, 11)
    assert count_parameters(settings, 11) == network.count_params()
    assert settings.trained_layers == tuple(layer.name for layer in network.layers if layer.count_params())


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
    save_network(network, tmp_path / "model.keras")
    loaded = load_network(tmp_path / "model.keras")
    np.testing.assert_array_equal(np.asarray(network(tokens)), np.asarray(loaded(tokens)))


def test_a_disk_that_is_full_leaves_the_network_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, network = tmp_path / "model.keras", build_network(ModelSettings("lstm", 4, 8), 20)
    save_network(network, path)
    before = path.read_bytes()

    def full(*given: object, **options: object) -> None:
        raise RuntimeError("Can't decrement id ref count (file write failed: errno = 28)")

    monkeypatch.setattr(type(network), "save", full)
    with pytest.raises(OSError, match="errno = 28") as error:
        save_network(network, path)
    assert error.value.filename == str(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
