"""The gate of a network: every right file passes, however sensitive, and every fault is refused by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from genrun.errors import ExportError
from genrun_core.backend import prepare_backend

prepare_backend()

import keras  # noqa: E402

from genrun_export.free_run import side_by_side  # noqa: E402
from genrun_export.network_parity import NetworkGate  # noqa: E402
from genrun_export.parity import ParityFigures, check_parity  # noqa: E402
from support.faults import (  # noqa: E402
    SUPPRESSED,
    VOCABULARY,
    Change,
    insert,
    make_network,
    node_behind,
    opened,
    prompts,
    reordered,
    stored,
    user_of,
)

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


def plus(amount: float, *place: int) -> Callable[[NDArray[Any]], None]:
    def alter(values: NDArray[Any]) -> None:
        values[place] += amount

    return alter


def permuted(graph: onnx.GraphProto) -> None:
    order = np.roll(np.arange(VOCABULARY), 1)
    stored("embedding.embeddings", lambda values: values[order])(graph)
    stored("logits.kernel", lambda values: values[:, order])(graph)
    stored("logits.bias", lambda values: values[order])(graph)


def in_half_precision(graph: onnx.GraphProto) -> None:
    name = "recurrent_1.recurrent_kernel"
    stored(name, lambda values: values.astype(np.float16))(graph)
    product = user_of(graph, name)
    product.input[1] = "cast"
    cast = helper.make_node("Cast", [name], ["cast"], to=TensorProto.FLOAT)
    reordered(graph, [cast, *graph.node])


def rounded_to_half(graph: onnx.GraphProto) -> None:
    """Weights as they stand in the file, but a cast there and back when they are used."""
    name = "recurrent_1.recurrent_kernel"
    user_of(graph, name).input[1] = "whole"
    there = helper.make_node("Cast", [name], ["half"], to=TensorProto.FLOAT16)
    back = helper.make_node("Cast", ["half"], ["whole"], to=TensorProto.FLOAT)
    reordered(graph, [there, back, *graph.node])


def without_layer(graph: onnx.GraphProto) -> None:
    """The logits read the first layer, and the second one's states never change."""
    user_of(graph, "logits.kernel").input[0] = node_behind(graph, "state.0.next").output[0]
    for node in graph.node:
        if node.output[0] in ("state.2.next", "state.3.next"):
            node.input[:] = [node.output[0].removesuffix(".next")]


def without_bias(graph: onnx.GraphProto) -> None:
    node = user_of(graph, "logits.bias")
    node.op_type = "Identity"
    node.input[:] = [name for name in node.input if name != "logits.bias"]


def scaled(graph: onnx.GraphProto) -> None:
    graph.initializer.append(numpy_helper.from_array(np.float32(0.7), "temperature_of_old"))
    insert(graph, "logits", "Mul", "temperature_of_old")


def doubled(graph: onnx.GraphProto) -> None:
    insert(graph, "logits", "Sum", "logits.before")


def swapped_gates(graph: onnx.GraphProto) -> None:
    gates = next(node for node in graph.node if node.op_type == "Split")
    gates.output[0], gates.output[1] = gates.output[1], gates.output[0]


def stale(graph: onnx.GraphProto) -> None:
    [node] = (node for node in graph.node if node.output[0] == "state.1.next")
    node.input[:] = ["state.1"]


def exchanged_states(graph: onnx.GraphProto) -> None:
    copies = [node for node in graph.node if node.output[0] in ("state.0.next", "state.2.next")]
    first, second = (node.input[0] for node in copies)
    copies[0].input[:], copies[1].input[:] = [second], [first]


def another_activation(graph: onnx.GraphProto) -> None:
    next(node for node in graph.node if node.op_type == "Tanh").op_type = "Softsign"


def exchanged_weights(graph: onnx.GraphProto) -> None:
    kernels = ["recurrent_1.recurrent_kernel", "recurrent_2.recurrent_kernel"]
    users = [user_of(graph, name) for name in kernels]
    for user, other in zip(users, reversed(kernels), strict=True):
        user.input[1] = other


def exchanged_words(graph: onnx.GraphProto) -> None:
    """Two words of the vocabulary that no text has are taken for each other."""
    order = np.arange(VOCABULARY)
    order[[VOCABULARY - 1, VOCABULARY - 2]] = VOCABULARY - 2, VOCABULARY - 1
    graph.initializer.append(numpy_helper.from_array(order, "order"))
    lookup = user_of(graph, "embedding.embeddings")
    lookup.input[1] = "ordered"
    reordered(graph, [helper.make_node("Gather", ["order", "token"], ["ordered"]), *graph.node])


def mixed_rows(graph: onnx.GraphProto) -> None:
    """The logits of every row of a batch are those of its first row."""
    graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.int64), "first_row"))
    hidden = user_of(graph, "logits.kernel").input[0]
    user_of(graph, "logits.kernel").input[0] = "row.repeated"
    [at] = (at for at, node in enumerate(graph.node) if hidden in node.output)
    nodes = [
        helper.make_node("Gather", [hidden, "first_row"], ["row"]),
        helper.make_node("Shape", [hidden], ["size"]),
        helper.make_node("Expand", ["row", "size"], ["row.repeated"]),
    ]
    reordered(graph, [*graph.node[: at + 1], *nodes, *graph.node[at + 1 :]])


def not_a_number(graph: onnx.GraphProto) -> None:
    insert(graph, "logits", "Sqrt")


ONE = r"1 of 600 numbers of the weight logits\.kernel are not the trained ones, the first at \[3, 7\]"
HALF = r"the weight recurrent_1\.recurrent_kernel is float16 \[12, 48\] in the file, not float32 \[12, 48\]"
OFF = r"state\.\d\.next in the file is off by .* after token \d+ on documents; .* is allowed, since Keras rounds by"
FAULTS: dict[str, tuple[Change, str]] = {
    "one weight": (stored("logits.kernel", plus(1e-3, 3, 7)), ONE),
    "the last bit": (stored("recurrent_2.kernel", lambda values: np.nextafter(values, 9)), r"recurrent_2\.kernel"),
    "a bias": (stored("recurrent_1.bias", plus(0.1, 5)), r"the weight recurrent_1\.bias .* first at \[5\]"),
    "a permuted vocabulary": (permuted, r"the weight embedding\.embeddings"),
    "half precision": (in_half_precision, HALF),
    "rounded to half precision": (rounded_to_half, OFF),
    "a dropped layer": (without_layer, r"the file does not use the weight recurrent_2\.kernel"),
    "a dropped bias": (without_bias, r"the file does not use the weight logits\.bias"),
    "a scale": (scaled, "uses numbers that were not trained: temperature_of_old"),
    "logits twice": (doubled, "logits in the file is off by .* on documents"),
    "swapped gates": (swapped_gates, OFF),
    "a stale state": (stale, OFF.replace(r"\d\.", r"1\.", 1)),
    "exchanged states": (exchanged_states, OFF.replace(r"\d\.", r"0\.", 1)),
    "another activation": (another_activation, OFF),
    "exchanged weights": (exchanged_weights, OFF),
    "exchanged words": (exchanged_words, r"state\.\d\.next .* after token (48|49) where every token is fed once"),
    "mixed rows": (mixed_rows, "logits in the file is off by"),
    "no numbers": (not_a_number, "logits in the file is off by nan"),
}


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


def test_a_network_within_a_larger_graph_is_compared_by_the_name_of_its_logits(
    network: keras.Model, tmp_path: Path
) -> None:
    """As in a mixture: the file's own logits are another output, and it has a state more."""

    def mixed(graph: onnx.GraphProto) -> None:
        maker = node_behind(graph, "logits")
        maker.output[0] = "network.logits"
        inputs = helper.make_tensor_value_info("state.4", TensorProto.FLOAT, ["batch", 1])
        graph.input.append(inputs)
        graph.output.append(helper.make_tensor_value_info("state.4.next", TensorProto.FLOAT, ["batch", 1]))
        graph.output.append(helper.make_tensor_value_info("network.logits", TensorProto.FLOAT, ["batch", VOCABULARY]))
        graph.node.append(helper.make_node("Identity", ["state.4"], ["state.4.next"]))
        graph.initializer.append(numpy_helper.from_array(np.float32(0.5), "share"))
        graph.node.append(helper.make_node("Mul", ["network.logits", "share"], ["logits"]))

    def gate(change: Change) -> NetworkGate:
        return NetworkGate(network, opened(network, tmp_path / "step.onnx", change), "network.logits")

    documents = [prompt.document for prompt in prompts()]
    right = gate(mixed)
    right.check_on(documents)
    assert right.check_along(documents).weights == network.count_params()

    def wrong(graph: onnx.GraphProto) -> None:
        swapped_gates(graph)
        mixed(graph)

    with pytest.raises(ExportError, match=r"state\.\d\.next in the file is off by"):
        gate(wrong).check_on(documents)


def test_a_file_with_a_state_that_the_network_has_not_is_refused(network: keras.Model, tmp_path: Path) -> None:
    def change(graph: onnx.GraphProto) -> None:
        graph.input.append(helper.make_tensor_value_info("state.4", TensorProto.FLOAT, ["batch", 1]))
        graph.output.append(helper.make_tensor_value_info("state.4.next", TensorProto.FLOAT, ["batch", 1]))
        graph.node.append(helper.make_node("Identity", ["state.4"], ["state.4.next"]))

    with pytest.raises(ExportError, match="refused: the file has 5 states, not 4"):
        check(network, tmp_path / "step.onnx", change)
