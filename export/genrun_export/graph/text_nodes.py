"""Nodes in ONNX's text form, added to a step's graph with the constants and the state that they use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper, parser

__all__ = ["add_nodes", "add_state", "rename_logits"]


def add_nodes(
    graph: onnx.GraphProto, text: str, *, prefix: str, constants: Mapping[str, NDArray[Any]], names: Mapping[str, str]
) -> None:
    """Add the nodes of ``text`` to ``graph``, and those of the ``constants`` that they use.

    ``names``: what values of the nodes are called in the graph; all others get ``prefix`` before their own names.
    """
    nodes = parser.parse_graph(f"nodes () => () {{ {text} }}").node
    used = {name for node in nodes for name in node.input}
    for node in nodes:
        node.input[:] = [names.get(name, prefix + name) for name in node.input]
        node.output[:] = [names.get(name, prefix + name) for name in node.output]
    graph.node.extend(nodes)
    graph.initializer.extend(
        numpy_helper.from_array(value, prefix + name) for name, value in constants.items() if name in used
    )


def add_state(graph: onnx.GraphProto, dtype: np.dtype[Any], width: int) -> dict[str, str]:
    """Add a state ``[batch, width]`` to a step; return what ``state`` and ``next_state`` are called in it."""
    number = sum(value.name.startswith("state.") for value in graph.input)
    names = {"state": f"state.{number}", "next_state": f"state.{number}.next"}
    element = helper.np_dtype_to_tensor_dtype(dtype)
    for values, name in ((graph.input, "state"), (graph.output, "next_state")):
        values.append(helper.make_tensor_value_info(names[name], element, ["batch", width]))
    return names


def rename_logits(graph: onnx.GraphProto, name: str) -> None:
    """Call what a step's nodes call ``logits`` by another ``name``, so that other nodes may make the logits of it."""
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [name if each == "logits" else each for each in names]
