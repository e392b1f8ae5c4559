"""Smaller numbers for the matrices of a decoding step: whole numbers of one byte, or half precision.

Everything else, the choosing of a token included, stays as it is, and only standard operators are used. Rows do not
influence each other: what a matrix is multiplied with is quantized by a scale that is fixed at export, never by the
range that a batch has. So a text is the same in any batch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto

from genrun_export.graph.matrices import Matrix, embedded_values, matrix_of
from genrun_export.graph.rewriting import Rewriting

__all__ = ["multiplied_values", "quantize"]

# A product adds up whole numbers from 0 to 255 times whole numbers of the weights. Processors without instructions
# for just that add two such products in 16 bits. 2 · 255 · 64 still fits, and so all of them find the same sum.
_LARGEST_WEIGHT = 64
_LARGEST_VALUE = 127
_ZERO = 128  # stands for 0 among the numbers from 0 to 255


def quantize(
    model: onnx.ModelProto, kind: str, matrices: Sequence[Matrix], ranges: Mapping[str, float]
) -> onnx.ModelProto:
    """Return a copy of the step with ``matrices`` as ``int8`` or ``fp16``; its inputs and outputs stay as they are.

    ``ranges``: for ``int8``, the largest magnitude of each of :func:`multiplied_values`.
    """
    small = onnx.ModelProto()
    small.CopyFrom(model)
    rewriting = _Int8(small.graph, ranges) if kind == "int8" else _Half(small.graph)
    rewriting.replace(matrices)
    onnx.checker.check_model(small, full_check=True)
    return small


def multiplied_values(graph: onnx.GraphProto, matrices: Collection[Matrix]) -> list[str]:
    """Return the names of the values that are multiplied with ``matrices``, each once."""
    tensors = {matrix.tensor for matrix in matrices}
    products = (node for node in graph.node if node.op_type != "Gather" and matrix_of(node) in tensors)
    return list(dict.fromkeys(node.input[0] for node in products))


class _Int8(Rewriting):
    """Matrices of int8 with a float32 scale for each column, the embedding with one for all.

    Tied vectors have one for each row, since their rows are the columns of the product.
    """

    def __init__(self, graph: onnx.GraphProto, ranges: Mapping[str, float]) -> None:
        super().__init__(graph)
        self._ranges = dict(ranges)
        self._scales: dict[str, NDArray[np.float32]] = {}

    def store(self, matrix: Matrix, values: NDArray[np.float32]) -> None:
        if matrix.looked_up:  # any row may come, also one that no sample had
            embedded = dict.fromkeys(embedded_values(self._graph, matrix), _largest(values))
            self._ranges |= {name: float(largest) for name, largest in embedded.items()}
        if matrix.tied:
            scale = _scale(_largest(values, axis=1), _LARGEST_WEIGHT)  # [vocabulary, 1]
        elif matrix.looked_up:
            scale = _scale(_largest(values), _LARGEST_VALUE)
        else:
            scale = _scale(_largest(values, axis=0), _LARGEST_WEIGHT)  # [1, columns]
        self._scales[matrix.name] = scale
        self.constant(f"{matrix.name}.stored", np.rint(values / scale).astype(np.int8))

    def look_up(self, ids: str, output: str, matrix: Matrix) -> Iterator[onnx.NodeProto]:
        scale = self.constant(f"{matrix.name}.scale", self._scales[matrix.name])
        yield from self.node("Gather", [f"{matrix.name}.stored", ids], f"{matrix.name}.rows")
        if not matrix.tied:
            yield from self.node("DequantizeLinear", [f"{matrix.name}.rows", scale], output)
            return
        yield from self.node("Gather", [scale, ids], f"{matrix.name}.row_scales")  # [batch, 1]
        yield from self.node("Cast", [f"{matrix.name}.rows"], f"{matrix.name}.row_numbers", to=TensorProto.FLOAT)
        yield from self.node("Mul", [f"{matrix.name}.row_numbers", f"{matrix.name}.row_scales"], output)

    def multiply(self, value: str, output: str, matrix: Matrix) -> Iterator[onnx.NodeProto]:
        value_scale = _scale(np.float32(self._ranges[value]), _LARGEST_VALUE)
        zero = self.constant("quantization.zero", np.uint8(_ZERO))
        scale = self.constant(f"{value}.scale", value_scale)
        scales = self.constant(f"{output}.scales", self._scales[matrix.name].reshape(-1) * value_scale)
        yield from self.node("QuantizeLinear", [value, scale, zero], f"{value}.quantized")
        yield from self.make_factor(matrix)
        yield from self.node("MatMulInteger", [f"{value}.quantized", self.factor(matrix), zero], f"{output}.sums")
        yield from self.node("Cast", [f"{output}.sums"], f"{output}.numbers", to=TensorProto.FLOAT)
        yield from self.node("Mul", [f"{output}.numbers", scales], output)


class _Half(Rewriting):
    """Matrices of float16, multiplied in float16 where the device can; between them everything is float32."""

    def store(self, matrix: Matrix, values: NDArray[np.float32]) -> None:
        largest = np.finfo(np.float16).max
        self.constant(f"{matrix.name}.stored", np.clip(values, -largest, largest).astype(np.float16))

    def look_up(self, ids: str, output: str, matrix: Matrix) -> Iterator[onnx.NodeProto]:
        yield from self.node("Gather", [f"{matrix.name}.stored", ids], f"{matrix.name}.rows")
        yield from self.node("Cast", [f"{matrix.name}.rows"], output, to=TensorProto.FLOAT)

    def multiply(self, value: str, output: str, matrix: Matrix) -> Iterator[onnx.NodeProto]:
        yield from self.node("Cast", [value], f"{value}.half", to=TensorProto.FLOAT16)
        yield from self.make_factor(matrix)
        yield from self.node("MatMul", [f"{value}.half", self.factor(matrix)], f"{output}.half")
        yield from self.node("Cast", [f"{output}.half"], output, to=TensorProto.FLOAT)


def _largest(values: NDArray[np.float32], axis: int | None = None) -> NDArray[np.float32]:
    largest: NDArray[np.float32] = np.max(np.abs(values), axis=axis, keepdims=axis is not None)
    return largest


def _scale(largest: NDArray[np.float32] | np.float32, levels: int) -> NDArray[np.float32]:
    """Return what one unit is worth if ``levels`` of them make the largest magnitude; 1 where that is nothing."""
    scale: NDArray[np.float32] = np.where(largest > 0, largest / np.float32(levels), np.float32(1)).astype(np.float32)
    return scale
