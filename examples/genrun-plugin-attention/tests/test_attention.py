"""What an architecture's author tests: its layers agree with each other, and a model comes to its texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from genrun_plugin_attention.attention import Attention

import genrun
from genrun.errors import OptionError
from genrun_core.backend import prepare_backend
from genrun_core.recipes.recipe import Recipe, load_recipe
from genrun_core.recipes.sections import ModelSettings

prepare_backend()

import tensorflow as tf  # noqa: E402
from genrun_plugin_attention.block import Block  # noqa: E402

from genrun_core.training.train import train  # noqa: E402
from genrun_export.exporting import export  # noqa: E402
from genrun_export.gate.parity import ParityFigures  # noqa: E402

HEADS, CONTEXT, WIDTH = 2, 4, 6
LONG = 3 * CONTEXT + 2  # a few chunks, the last one not full
LINES = ["the old bridge is open", "the new ferry is late", "a bridge and a ferry", "the council is late"] * 5


@pytest.fixture(scope="module")
def block() -> Block:
    """A block whose weights are all drawn."""
    block = Block(HEADS, CONTEXT)
    block(tf.zeros([1, 1, WIDTH]))
    random = np.random.default_rng(0)
    block.set_weights([random.normal(0, 0.5, weight.shape) for weight in block.get_weights()])
    return block


def first(block: Block, rows: int) -> list[tf.Tensor]:
    return [tf.constant(state.zeros(rows)) for state in block.states]


def texts(rows: int = 3) -> Any:
    return tf.constant(np.random.default_rng(1).normal(size=(rows, LONG, WIDTH)), tf.float32)


def test_a_sequence_read_at_once_is_one_read_token_by_token(block: Block) -> None:
    inputs, states = texts(), first(block, 3)
    whole, after = block(inputs, states=states)
    for t in range(LONG):
        output, states = block.step(inputs[:, t], states)
        np.testing.assert_allclose(output, whole[:, t], atol=1e-5)
    for state, expected in zip(states, after, strict=True):
        np.testing.assert_allclose(state, expected, atol=1e-5)


def test_a_sequence_may_go_on_from_any_place(block: Block) -> None:
    inputs, states = texts(), first(block, 3)
    whole, _ = block(inputs, states=states)
    for begin, end in ((0, 1), (1, 3), (3, LONG)):
        part, states = block(inputs[:, begin:end], states=states)
        np.testing.assert_allclose(part, whole[:, begin:end], atol=1e-5)


def test_a_token_looks_at_its_context_and_nothing_else(block: Block) -> None:
    inputs = np.array(texts(1))
    before = np.array(block(inputs))
    inputs[0, CONTEXT] += 1.0
    changed = np.abs(np.array(block(inputs)) - before).max(axis=(0, 2)) > 1e-6
    assert changed.tolist() == [CONTEXT <= t < 2 * CONTEXT for t in range(LONG)]


def test_the_exact_step_is_the_step(block: Block) -> None:
    weights = {weight.name: np.asarray(weight).astype(np.float64) for weight in block.weights}
    states, exact = first(block, 3), [np.asarray(state) for state in first(block, 3)]
    for t in range(2 * CONTEXT):
        inputs = texts()[:, t]
        output, states = block.step(inputs, states)
        wanted, exact = block.exact(weights, np.asarray(inputs).astype(np.float64), exact)
        np.testing.assert_allclose(output, wanted, atol=1e-5)
        assert [state.shape for state in exact] == [state.shape for state in states]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"heads": "3"}, "heads must divide hidden_size=8, and 3 does not"),
        ({"context": "1"}, "context must be from 2 to 4,096, not 1"),
        ({"haeds": "2"}, "did you mean 'heads'"),
        ({"recurrent_dropout": "0.1"}, "architecture=attention makes no use of recurrent_dropout"),
    ],
)
def test_wrong_options_are_refused_in_one_line(values: dict[str, str], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        load_recipe("lyricist", {"architecture": "attention", "hidden_size": "8", **values})


def test_its_options_stand_in_the_recipe_and_come_back() -> None:
    recipe = load_recipe("lyricist", {"context": "8", "heads": "2", "hidden_size": "8", "architecture": "attention"})
    assert recipe.model.plugin == Attention(heads=2, context=8)
    assert recipe.to_dict()["model"]["context"] == 8
    assert Recipe.from_dict(recipe.to_dict()) == recipe
    assert ModelSettings("attention", hidden_size=8, options={"heads": 2}).plugin == Attention(heads=2)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> genrun.Model:
    """A model that was trained, exported with its gate, and quantized with that gate."""
    folder = tmp_path_factory.mktemp("attention")
    (folder / "lines.txt").write_text("\n".join(LINES), "utf-8")
    settings = {"architecture": "attention", "heads": "2", "context": "4", "layers": "1", "tied": "true"}
    settings |= {"embedding_size": "8", "hidden_size": "16", "epochs": "15", "batch_size": "4"}
    settings |= {"learning_rate": "0.02", "patience": "0", "validation": "0"}
    run = train([str(folder / "lines.txt")], load_recipe("lyricist", settings), folder / "run").path
    figures = export(run, folder / "lines.onnx", "int8")
    assert figures.quantization is not None
    assert isinstance(figures.parity, ParityFigures)
    assert figures.parity.rounding_ratio < figures.parity.allowed_ratio
    return genrun.load(folder / "lines.onnx")


def test_the_unchanged_runtime_writes_what_it_learnt_alone_and_in_a_batch(model: genrun.Model) -> None:
    prompts = ["<start> the old", "<start> a", "<start> the council", ""]
    together = model.generate_many(prompts, n=4, decoder="top-k", seed=7, max_new_tokens=20)
    alone = [model.generate(prompt, decoder="top-k", seed=7, max_new_tokens=20) for prompt in prompts]
    assert [result.text for result in together[::4]] == alone
    assert model.generate("<start> the old", decoder="greedy").startswith("the old bridge is")
