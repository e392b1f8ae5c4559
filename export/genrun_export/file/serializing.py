"""The bytes of an ONNX file, piece by piece: large weights are never copied into a message of their own."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray

__all__ = ["Pieces", "drop_inputs", "pieces"]

Pieces = Iterator[bytes | memoryview]

_BYTES = 2  # the wire type of what has a length
_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9  # fields of ModelProto, GraphProto, TensorProto


def pieces(model: onnx.ModelProto, weights: Mapping[str, ArrayLike]) -> Pieces:
    """Yield the file of a ``model`` whose inputs called as ``weights`` become constants with these values."""
    if not weights:
        yield model.SerializeToString()
        return
    shell = onnx.ModelProto()
    shell.CopyFrom(model)
    drop_inputs(shell.graph, weights)
    graph = shell.graph.SerializeToString()
    shell.ClearField("graph")
    yield shell.SerializeToString()
    headers = {name: _header(name, np.asarray(values)) for name, values in weights.items()}
    yield _start(_GRAPH, len(graph) + sum(len(start) + size for start, size in headers.values()))
    yield graph
    for name, values in weights.items():
        yield headers[name][0]
        yield _in_file(np.asarray(values))


def drop_inputs(graph: onnx.GraphProto, names: Collection[str]) -> None:
    """Remove the inputs called ``names`` from a graph, in place."""
    for value in [value for value in graph.input if value.name in names]:
        graph.input.remove(value)


def _header(name: str, values: NDArray[Any]) -> tuple[bytes, int]:
    """Return what stands before the values of a constant, and the number of bytes of the values."""
    dtype = onnx.helper.np_dtype_to_tensor_dtype(values.dtype)
    tensor = onnx.TensorProto(dims=values.shape, data_type=dtype, name=name).SerializeToString()
    tensor += _start(_RAW_DATA, values.nbytes)
    return _start(_INITIALIZER, len(tensor) + values.nbytes) + tensor, values.nbytes


def _in_file(values: NDArray[Any]) -> memoryview:
    """Return the bytes of the values as they stand in a file: little-endian, row by row."""
    return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).reshape(-1).view(np.uint8).data


def _start(field: int, size: int) -> bytes:
    """Return the beginning of a field of ``size`` bytes: its number and wire type, and its length, as varints.

    >>> _start(7, 300).hex()
    '3aac02'
    """
    found = bytearray([field << 3 | _BYTES])
    while size > 127:
        found.append(size & 127 | 128)
        size >>= 7
    return bytes([*found, size])
