"""The graph in a model file, with its constants where they lie in the file: a large one is not copied to be read."""

from __future__ import annotations

import mmap
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from genrun.loading.graph.protobuf import Field, Wire

__all__ = ["Constant", "StoredGraph", "read_graph"]

_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9  # fields of ModelProto, GraphProto, TensorProto


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant of a graph: its type and shape in ``tensor``, its values there or in ``raw``."""

    tensor: onnx.TensorProto
    raw: memoryview | None

    @property
    def is_fractional(self) -> bool:
        """Whether its numbers are not whole."""
        return np.dtype(self.dtype).kind not in "iub"

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its numbers."""
        found: np.dtype[Any] = onnx.helper.tensor_dtype_to_np_dtype(self.tensor.data_type)
        return found

    def values(self) -> NDArray[Any]:
        """Return its numbers, in the file's own bytes where it has them raw."""
        if self.raw is None:
            values: NDArray[Any] = onnx.numpy_helper.to_array(self.tensor)
            return values
        return np.frombuffer(self.raw, self.dtype).reshape(tuple(self.tensor.dims))


@dataclass(frozen=True, slots=True)
class StoredGraph:
    """A graph without its ``constants``, which are beside it by name."""

    graph: onnx.GraphProto
    constants: dict[str, Constant]

    def nodes_behind(self, outputs: Collection[str]) -> list[onnx.NodeProto]:
        """Return the nodes that ``outputs`` are computed by, the last one first."""
        makers = {name: node for node in self.graph.node for name in node.output}
        waiting, found = list(outputs), {}
        while waiting:
            node = makers.get(waiting.pop())
            if node is not None and id(node) not in found:
                found[id(node)] = node
                waiting += node.input
        return list(found.values())


def read_graph(path: Path) -> StoredGraph:
    """Return the graph of an ONNX file; the file stays mapped as long as a constant of it is used."""
    with path.open("rb") as file:
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    wire = Wire(content)
    [whole] = (field for field in wire.fields(0, len(content)) if field.number == _GRAPH)
    constants: dict[str, Constant] = {}
    rest, at = bytearray(), whole.start
    for field in wire.fields(whole.start, whole.end):
        if field.number == _INITIALIZER:
            constant = _constant(wire, field)
            constants[constant.tensor.name] = constant
        else:
            rest += content[at : field.end]
        at = field.end
    return StoredGraph(onnx.GraphProto.FromString(bytes(rest)), constants)


def _constant(wire: Wire, whole: Field) -> Constant:
    described, raw, at = bytearray(), None, whole.start
    for field in wire.fields(whole.start, whole.end):
        if field.number == _RAW_DATA:
            raw = wire.content[field.start : field.end]
        else:
            described += wire.content[at : field.end]
        at = field.end
    return Constant(onnx.TensorProto.FromString(bytes(described)), raw)
