"""The gate for choices: a graph that chooses otherwise than the decoders is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import genrun
from genrun.generating.stepping.session import StepSession
from genrun.loading.opening import MappedFile
from genrun_export.gate.choice_parity import check_choices
from genrun_export.graph.choosing import add_choosing
from support.alphabet import babble_table, save, step_model

PROMPTS = [(3, 4, 5), (7,), (9, 9), (4, 8, 1, 2)]


def check(path: Path, change: Callable[[Any], None]) -> None:
    model = step_model(babble_table(30))
    add_choosing(model, [0, 2])
    change(model)
    session = StepSession(MappedFile(save(path, model, {})), device="cpu")
    session.bind(30)
    check_choices(session, PROMPTS, count=20, batch_sizes=(1, 4), suppressed_ids=(0, 2))


def graphs(graph: Any) -> Iterator[Any]:
    """Yield a graph and the graphs in it."""
    yield graph
    for attribute in (attribute for node in graph.node for attribute in node.attribute):
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield from graphs(attribute.g)


def with_operator(old: str, new: str) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        for node in (node for graph in graphs(model.graph) for node in graph.node):
            node.op_type = new if node.op_type == old else node.op_type

    return change


def with_constant(name: str, value: Any) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        for constant in (constant for graph in graphs(model.graph) for constant in graph.initializer):
            if constant.name == f"choosing.top_k.{name}":
                constant.CopyFrom(onnx.numpy_helper.from_array(value, constant.name))

    return change


def test_a_graph_that_chooses_as_the_decoders_do_passes(tmp_path: Path) -> None:
    check(tmp_path / "m.onnx", lambda model: None)


def with_every_token_suppressed(model: Any) -> None:
    with_constant("suppressed", np.arange(30))(model)
    with_constant("masks", np.full(30, -np.inf, np.float32))(model)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (with_constant("suppressed", np.array([7, 8])), "which must not be chosen"),
        (with_every_token_suppressed, "which must not be chosen"),
        (
            with_constant("units", np.array(3.0)),
            "refused: at batch 1 the graph chooses other tokens than decoder 'top-k'",
        ),
        (
            with_constant("last", np.array([0])),
            "refused: at batch 1 the graph chooses other tokens than decoder 'top-k'",
        ),
        (with_operator("LogSoftmax", "Softmax"), "refused: at batch 1 the graph's log-probabilities are off by "),
        (lambda model: model.graph.output.pop(), "refused: the graph has lost the nodes that choose"),
    ],
    ids=["mask", "all masked", "coarse", "total of the first", "no logarithm", "no output"],
)
def test_a_graph_that_chooses_otherwise_is_refused(
    tmp_path: Path, change: Callable[[Any], None], message: str
) -> None:
    with pytest.raises(genrun.GenrunError) as caught:
        check(tmp_path / "m.onnx", change)
    assert message in str(caught.value)
