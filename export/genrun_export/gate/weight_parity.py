"""The gate's first part: the numbers in the file are the trained weights, bit for bit, and nothing but these."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray

from genrun.errors import ExportError
from genrun_export.file.stored_graph import Constant, read_graph

__all__ = ["check_weights"]


def check_weights(
    path: Path, weights: Mapping[str, ArrayLike], outputs: Collection[str], constants: Collection[float] = ()
) -> int:
    """Compare the constants that ``outputs`` of a file are made of with ``weights``, by name; return their count.

    The count is of single numbers. Raises ExportError, with the name, for a weight that is not used or has another
    type, shape or bit, and for fractional numbers that are no weights, but for the 1 that a GRU subtracts from, and
    for the ``constants`` that an architecture announces.
    """
    stored = read_graph(path)
    nodes = stored.nodes_behind(outputs)
    used = {name for node in nodes for name in node.input}
    for name in weights:
        if name not in used or name not in stored.constants:
            raise ExportError(f"refused: the file does not use the weight {name}")
    count = 0
    for name in sorted(used & stored.constants.keys()):
        if name in weights:
            count += _check_weight(name, stored.constants[name], np.asarray(weights[name]))
        else:
            _check_untrained(name, stored.constants[name], constants)
    for name, constant in _inner_constants(nodes):
        _check_untrained(name, constant, constants)
    return count


def _check_weight(name: str, constant: Constant, trained: NDArray[Any]) -> int:
    """Return how many numbers a weight has; raises ExportError unless all of them are in the file."""
    found = constant.dtype.name, list(constant.tensor.dims)
    wanted = trained.dtype.name, list(trained.shape)
    if found != wanted:
        raise ExportError(
            f"refused: the weight {name} is {found[0]} {found[1]} in the file, not {wanted[0]} {wanted[1]}"
        )
    values = constant.values()
    bits = f"u{trained.dtype.itemsize}"
    differing = np.ascontiguousarray(values).view(bits) != np.ascontiguousarray(trained).view(bits)
    if differing.any():
        place = tuple(int(axis[0]) for axis in np.nonzero(differing))
        raise ExportError(
            f"refused: {np.count_nonzero(differing):,} of {differing.size:,} numbers of the weight {name} are not "
            f"the trained ones, the first at {list(place)}: {values[place]:.6g}, not {trained[place]:.6g}"
        )
    return trained.size


def _check_untrained(name: str, constant: Constant, constants: Collection[float]) -> None:
    if not constant.is_fractional or (constant.values().shape == () and constant.values() == 1):
        return
    if not np.isin(constant.values(), np.array([*constants], np.float32)).all():
        raise ExportError(f"refused: the network in the file uses numbers that were not trained: {name}")


def _inner_constants(nodes: Collection[onnx.NodeProto]) -> Iterator[tuple[str, Constant]]:
    """Yield the constants that nodes carry as attributes, with the name of a node's output.

    Raises ExportError for a node with a graph of its own, which no network needs.
    """
    for node in nodes:
        for attribute in node.attribute:
            if attribute.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS):
                raise ExportError(f"refused: the network in the file has an operator that branches: {node.op_type}")
            value = onnx.helper.get_attribute_value(attribute)
            if attribute.type == onnx.AttributeProto.TENSOR:
                yield node.output[0], Constant(value, None)
            elif node.op_type == "Constant" and attribute.name in ("value_float", "value_floats"):
                yield node.output[0], Constant(onnx.numpy_helper.from_array(np.asarray(value, np.float32)), None)
