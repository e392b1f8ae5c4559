"""The parts of an ONNX file: its graph with nodes, constants, inputs and outputs (onnx.proto)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["DTYPES", "Attribute", "Graph", "Node", "OnnxFile", "Tensor", "ValueInfo"]

# TensorProto.DataType → name, without texts, complex numbers, and types smaller than a byte
DTYPES = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    16: "bfloat16",
}


class Tensor(NamedTuple):
    """A constant; ``known`` has its values if they are few whole numbers, else it is None."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    known: NDArray[np.int64] | None


class ValueInfo(NamedTuple):
    """A declared value; ``shape`` has None for a dynamic dimension, and is None if no shape is declared."""

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None


class Attribute(NamedTuple):
    """An attribute; ``kind`` is i, f, s, t or g for one value, and is, fs or ss for a list."""

    name: str
    kind: str
    value: Any


class Node(NamedTuple):
    """An operator with the names of its inputs, ``""`` for an omitted one, and of its outputs."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute]


@dataclass(slots=True)
class Graph:
    """A graph: nodes in order, constants by name, and the declared inputs, outputs and intermediate values."""

    nodes: list[Node] = field(default_factory=list)
    constants: dict[str, Tensor] = field(default_factory=dict)
    inputs: list[ValueInfo] = field(default_factory=list)
    outputs: list[ValueInfo] = field(default_factory=list)
    declared: list[ValueInfo] = field(default_factory=list)


class OnnxFile(NamedTuple):
    """An ONNX file; ``opset``: the version of the standard operators; ``size``: of the file, in bytes."""

    graph: Graph
    opset: int
    size: int
