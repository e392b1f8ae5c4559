"""The gate of a network: every right file passes, however sensitive, and every fault is refused by its name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper

from genrun.errors import ExportError
from genrun_core.backend import prepare_backend

prepare_backend()

import keras  # noqa: E402

from genrun_export.gate.free_run import side_by_side  # noqa: E402
from genrun_export.gate.network_parity import NetworkGate  # noqa: E402
from genrun_export.gate.parity import ParityFigures, check_parity  # noqa: E402
from support.faults import (  # noqa: E402
    SUPPRESSED,
    VOCABULARY,
    Change,
    make_network,
    opened,
    prompts,
    stored,
)
from support.planted_faults import FAULTS  # noqa: E402

ALL_ALIKE = 1e-4  # what logits along whole texts were once allowed to differ by

SHAPES: dict[str, dict[str, Any]] = {
    "three lstm": {"architecture": "lstm", "layers": 3},
    "gru": {"architecture": "gru"},
    "two simple-rnn": {"architecture": "simple-rnn", "layers": 2},
    "window": {"architecture": "window", "window": 3},
    "window of one": {"architecture": "window", "window": 1},
    "tied": {"architecture": "gru", "tied": True, "embedding_size": 12},
    "tied with a projection": {"architecture": "lstm", "tied": True},
    "tied window": {"architecture": "window", "window": 2, "tied": True},
}


def check(network: keras.Model, path: Path, change: Change = lambda graph: None) -> ParityFigures:
    return check_parity(network, opened(network, path, change), prompts(), SUPPRESSED)[0]


@pytest.mark.parametrize("settings", SHAPES.values(), ids=SHAPES)
def test_every_shape_of_network_passes(settings: dict[str, Any], tmp_path: Path) -> None:
    network = make_network(**settings)
    figures = check(network, tmp_path / "step.onnx")
    assert figures.weights == network.count_params()
    assert figures.fed_ids == VOCABULARY
    assert figures.steps > VOCABULARY
    assert 0 < figures.rounding_ratio < 4 < figures.allowed_ratio
    assert figures.perplexity == pytest.approx(figures.keras_perplexity, rel=1e-5)
    assert 0 < figures.largest_logit_difference < ALL_ALIKE


@pytest.mark.parametrize(
    ("architecture", "scale", "seed"), [("gru", 8.0, 0), ("simple-rnn", 3.0, 1)], ids=["gru", "simple-rnn"]
)
def test_a_network_that_amplifies_its_rounding_passes(
    architecture: str, scale: float, seed: int, tmp_path: Path
) -> None:
    """Weights as a long training makes them: along a text, Keras and a right file come far apart."""
    network = make_network(scale, seed, architecture=architecture)
    figures = check(network, tmp_path / "step.onnx")
    assert figures.largest_logit_difference > 10 * ALL_ALIKE
    assert figures.rounding_ratio < 4


@pytest.fixture(scope="module")
def network() -> keras.Model:
    return make_network(architecture="lstm", layers=2)


@pytest.mark.parametrize(("change", "message"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_refused_by_its_name(change: Change, message: str, network: keras.Model, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=message) as refusal:
        check(network, tmp_path / "step.onnx", change)
    assert str(refusal.value).startswith("refused: ")
    assert "\n" not in str(refusal.value)


def along(network: keras.Model, path: Path, change: Change, texts: Sequence[tuple[int, ...]]) -> float:
    """Return the largest difference of logits along whole texts, which is what the gate once went by."""
    gate = NetworkGate(network, opened(network, path, change))
    return max(at.difference for at in side_by_side(gate.file, gate.keras, texts, (1, 16)))


def test_words_that_no_text_has_are_compared_too(network: keras.Model, tmp_path: Path) -> None:
    texts = [prompt.document for prompt in prompts()]
    seen = {token for text in texts for token in text}
    unseen = [token for token in range(VOCABULARY) if token not in seen]

    def overwrite(values: NDArray[Any]) -> None:
        values[unseen] = 7.0

    fault = stored("embedding.embeddings", overwrite)
    assert along(network, tmp_path / "step.onnx", fault, texts) < ALL_ALIKE  # along texts, nothing is to be seen
    with pytest.raises(ExportError, match=rf"{8 * len(unseen)} of 400 numbers of the weight embedding\.embeddings"):
        check(network, tmp_path / "step.onnx", fault)


def test_a_diverged_network_is_refused_for_what_it_is(tmp_path: Path) -> None:
    """Huge weights that cancel out: Keras's own rounding is so large that a file could hide anything behind it."""
    network = make_network(architecture="simple-rnn")
    for weight in network.weights:
        if weight.path.startswith("recurrent"):
            weight.assign(np.full(weight.shape, 20.0 if weight.path.endswith("bias") else 0.0))  # all outputs are 1
        if weight.path == "logits/kernel":
            huge = np.random.default_rng(0).normal(0, 1e8, weight.shape).astype(np.float32)
            huge[-1] = -huge[:-1].sum(axis=0, dtype=np.float64)
            weight.assign(huge)
    with pytest.raises(ExportError, match=r"Keras rounds logits by .*did the training diverge\?"):
        check(network, tmp_path / "step.onnx")


def test_a_file_with_a_state_that_the_network_has_not_is_refused(network: keras.Model, tmp_path: Path) -> None:
    def change(graph: onnx.GraphProto) -> None:
        graph.input.append(helper.make_tensor_value_info("state.4", TensorProto.FLOAT, ["batch", 1]))
        graph.output.append(helper.make_tensor_value_info("state.4.next", TensorProto.FLOAT, ["batch", 1]))
        graph.node.append(helper.make_node("Identity", ["state.4"], ["state.4.next"]))

    with pytest.raises(ExportError, match="refused: the file has 5 states, not 4"):
        check(network, tmp_path / "step.onnx", change)
