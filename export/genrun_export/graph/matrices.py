"""The matrices of weights in a decoding step: which there are, what they are called, where the graph uses them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import keras
import onnx

__all__ = ["Matrix", "embedded_values", "find_matrices", "matrix_of"]

_WEIGHTS = {"Gather": 0, "MatMul": 1, "Gemm": 1}  # operator → which of its inputs is a matrix of weights


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix of weights: ``tensor`` is its name in the graph, ``name`` that of the layer in the network.

    The matrices of one layer are told apart by the weight's own name, such as ``recurrent_1.recurrent_kernel``. What
    is ``looked_up`` is the embedding; where it also makes the logits, the network is ``tied``.
    """

    name: str
    tensor: str
    looked_up: bool
    tied: bool


def find_matrices(graph: onnx.GraphProto, network: keras.Model) -> list[Matrix]:
    """Return the matrices of the step that was made of ``network``, in the order in which the graph uses them.

    Those that a layer wants to keep in float32 are left out.
    """
    layers = {layer.name: layer for layer in network.layers}
    stored = {tensor.name: tensor for tensor in graph.initializer}
    uses: dict[str, set[str]] = {}
    for node in graph.node:
        tensor = matrix_of(node)
        if tensor in stored and len(stored[tensor].dims) == 2:
            uses.setdefault(tensor, set()).add(node.op_type)
    found = []
    for tensor, operators in uses.items():
        layer, _, weight = tensor.partition(".")
        if weight in getattr(layers.get(layer), "float32_weights", ()):
            continue
        several = sum(len(other.shape) == 2 for other in layers[layer].weights) > 1 if layer in layers else True
        looked_up = "Gather" in operators
        name = tensor if several else layer
        found.append(Matrix(name, tensor, looked_up, tied=looked_up and len(operators) > 1))
    return found


def matrix_of(node: onnx.NodeProto) -> str:
    """Return the name of the input of ``node`` that would be a matrix of weights, empty if none would."""
    place = _WEIGHTS.get(node.op_type)
    return "" if place is None or len(node.input) > 2 else str(node.input[place])


def embedded_values(graph: onnx.GraphProto, matrix: Matrix) -> Iterator[str]:
    """Yield the names of the values that are nothing but rows of the embedding."""
    found = set()
    for node in graph.node:
        is_row = node.op_type == "Gather" and node.input[0] == matrix.tensor
        if is_row or (node.op_type == "Reshape" and node.input[0] in found):
            found.add(node.output[0])
            yield node.output[0]
