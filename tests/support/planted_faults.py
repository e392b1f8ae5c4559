"""Faults in the graph of two LSTM layers, each with what the gate says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from support.faults import VOCABULARY, Change, insert, node_behind, reordered, stored, user_of

__all__ = ["FAULTS", "swapped_gates"]


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
