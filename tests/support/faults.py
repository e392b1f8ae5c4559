"""Small networks as decoding steps, and the faults that are planted in their graphs, each a change of the graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from genrun.generating.stepping.session import StepSession
from genrun_core.network.architecture import build_network
from genrun_core.recipes.sections import ModelSettings
from genrun_export.file.file_content import session_over
from genrun_export.gate.prompts import Prompt
from genrun_export.graph.choosing import add_choosing
from genrun_export.graph.step import make_step
from support.converted import to_onnx

__all__ = [
    "SUPPRESSED",
    "UNSEEN",
    "VOCABULARY",
    "Change",
    "insert",
    "make_network",
    "node_behind",
    "opened",
    "prompts",
    "reordered",
    "stored",
    "user_of",
]

VOCABULARY = 50
UNSEEN = 30  # the first of the ids that no document has
SUPPRESSED = [0]

Change = Callable[[onnx.GraphProto], None]


def make_network(scale: float = 1.0, seed: int = 0, **settings: Any) -> keras.Model:
    """Return a network with random weights; recurrent ones of a large ``scale`` make it chaotic."""
    chance = np.random.default_rng(seed)
    network = build_network(ModelSettings(**{"embedding_size": 8, "hidden_size": 12} | settings), VOCABULARY)
    for weight in network.weights:
        spread = scale if weight.path.endswith("recurrent_kernel") else 1.0
        values = chance.normal(0, spread / np.sqrt(weight.shape[0]), weight.shape)
        weight.assign(values if len(weight.shape) > 1 else 0.3 * values)
    return network


def prompts(count: int = 6) -> list[Prompt]:
    """Return beginnings of random documents, in which no id from UNSEEN on occurs."""
    chance = np.random.default_rng(1)
    documents = [tuple(chance.integers(1, UNSEEN, size=size).tolist()) for size in chance.integers(8, 40, size=count)]
    return [Prompt(f"text {i}", document[: 1 + i], document) for i, document in enumerate(documents)]


def opened(network: keras.Model, path: Path, change: Change = lambda graph: None) -> StepSession:
    """Return the step of a network with a change, as a file."""
    model = to_onnx(make_step(network))
    change(model.graph)
    add_choosing(model, SUPPRESSED)
    return session_over(model, path, VOCABULARY)


def stored(name: str, alter: Callable[[NDArray[Any]], NDArray[Any] | None]) -> Change:
    """Return a change of the constant ``name``, in place or to what is returned."""

    def change(graph: onnx.GraphProto) -> None:
        [tensor] = (tensor for tensor in graph.initializer if tensor.name == name)
        values = numpy_helper.to_array(tensor).copy()
        altered = alter(values)
        tensor.CopyFrom(numpy_helper.from_array(values if altered is None else altered, name))

    return change


def node_behind(graph: onnx.GraphProto, output: str) -> onnx.NodeProto:
    """Return the node that makes ``output``, or, of a mere copy, what is copied."""
    [node] = (node for node in graph.node if output in node.output)
    return node_behind(graph, node.input[0]) if node.op_type == "Identity" else node


def user_of(graph: onnx.GraphProto, weight: str) -> onnx.NodeProto:
    """Return the node that uses a weight."""
    return next(node for node in graph.node if weight in node.input)


def insert(graph: onnx.GraphProto, value: str, operator: str, *others: str, **attributes: Any) -> None:
    """Let all that use ``value`` use what an operator makes of it; an output of the graph keeps its name."""
    [at] = (at for at, node in enumerate(graph.node) if value in node.output)
    maker = graph.node[at]
    maker.output[list(maker.output).index(value)] = f"{value}.before"
    node = helper.make_node(operator, [f"{value}.before", *others], [value], **attributes)
    nodes = [*graph.node[: at + 1], node, *graph.node[at + 1 :]]
    reordered(graph, nodes)


def reordered(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    """Give a graph these nodes."""
    kept = onnx.GraphProto(node=nodes)
    del graph.node[:]
    graph.node.extend(kept.node)
