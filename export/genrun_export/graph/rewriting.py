"""Rewriting a graph: nodes and constants in place of a matrix of weights and of the nodes that use it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from genrun_export.graph.matrices import Matrix, matrix_of

__all__ = ["Rewriting"]


class Rewriting(ABC):
    """Replaces matrices of a ``graph``, in place. Who inherits says what stands in their place."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph
        self._made: set[str] = set()

    def replace(self, matrices: Sequence[Matrix]) -> None:
        """Replace ``matrices`` and all nodes that use them."""
        chosen = {matrix.tensor: matrix for matrix in matrices}
        for matrix in matrices:
            self.store(matrix, self._taken(matrix))
        nodes: list[onnx.NodeProto] = []
        for node in self._graph.node:
            tensor = matrix_of(node)
            if tensor not in chosen:
                nodes.append(node)
            elif node.op_type == "Gather":
                nodes += self.look_up(node.input[1], node.output[0], chosen[tensor])
            else:
                nodes += self.multiply(node.input[0], node.output[0], chosen[tensor])
        rewritten = onnx.GraphProto(node=nodes)  # copies: what is deleted next would take its nodes along
        del self._graph.node[:]
        self._graph.node.extend(rewritten.node)

    @abstractmethod
    def store(self, matrix: Matrix, values: NDArray[np.float32]) -> None:
        """Put the small numbers of a matrix into the graph, one of its constants called ``NAME.stored``."""

    @abstractmethod
    def look_up(self, ids: str, output: str, matrix: Matrix) -> Iterator[onnx.NodeProto]:
        """Yield the nodes that make float32 ``output`` of the rows ``ids`` of a matrix."""

    @abstractmethod
    def multiply(self, value: str, output: str, matrix: Matrix) -> Iterator[onnx.NodeProto]:
        """Yield the nodes that make float32 ``output`` of float32 ``value`` and a matrix."""

    def constant(self, name: str, value: NDArray[Any] | np.generic) -> str:
        """Add a constant, unless there is one of that name, and return its name."""
        if name not in self._made:
            self._made.add(name)
            self._graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> Iterator[onnx.NodeProto]:
        """Yield the node that makes ``output``, unless it was made for another product already."""
        if output not in self._made:
            self._made.add(output)
            yield helper.make_node(operator, inputs, [output], name=output, **attributes)

    def factor(self, matrix: Matrix) -> str:
        """Return the name of a matrix as the right factor of a product."""
        return f"{matrix.name}.transposed" if matrix.tied else f"{matrix.name}.stored"

    def make_factor(self, matrix: Matrix) -> Iterator[onnx.NodeProto]:
        """Yield the node that transposes tied vectors, which onnxruntime does once, when it opens the file."""
        if matrix.tied:
            yield from self.node("Transpose", [f"{matrix.name}.stored"], self.factor(matrix), perm=[1, 0])

    def _taken(self, matrix: Matrix) -> NDArray[np.float32]:
        [tensor] = (tensor for tensor in self._graph.initializer if tensor.name == matrix.tensor)
        values: NDArray[np.float32] = numpy_helper.to_array(tensor)
        self._graph.initializer.remove(tensor)
        return values
