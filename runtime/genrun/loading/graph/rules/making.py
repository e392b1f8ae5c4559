"""Operators that make values of a given shape."""

from __future__ import annotations

import numpy as np

from genrun.loading.graph.parts import Tensor
from genrun.loading.graph.rules.operator import Use, allow
from genrun.loading.graph.rules.value import Refused, Value, broadcast

__all__: list[str] = []

_LONGEST = 2**20  # of a range
_KNOWN = 1024


@allow("Constant", 0, value="t", value_int="i", value_ints="is", value_float="f", value_floats="fs")
def _constant(use: Use) -> list[Value]:
    if len(use.node.attributes) != 1:
        raise Refused("has no single value")
    [attribute] = use.node.attributes.values()
    if isinstance(attribute.value, Tensor):
        return [Value(attribute.value.dtype, attribute.value.shape, attribute.value.known)]
    shape = () if len(attribute.kind) == 1 else (len(attribute.value),)
    if attribute.kind.startswith("f"):
        return [Value("float32", shape)]
    return [Value("int64", shape, np.array(attribute.value, np.int64))]


@allow("Shape", 1, start="i", end="i")
def _shape(use: Use) -> list[Value]:
    sizes = use.exact(0).shape[use.attribute("start", 0) : use.attribute("end")]
    return [Value("int64", (len(sizes),), np.array(sizes, np.int64), linear=True)]


@allow("Size", 1)
def _size(use: Use) -> list[Value]:
    return [Value("int64", ())]


@allow("ConstantOfShape", 1, value="t")
def _filled(use: Use) -> list[Value]:
    value = use.attribute("value")
    shape = _sizes(use, 0)
    if value is not None and value.shape not in ((1,), ()):
        raise Refused("is filled with more than one value")
    return [Value("float32" if value is None else value.dtype, shape)]


@allow("Expand", 2)
def _expand(use: Use) -> list[Value]:
    value = use.exact(0)
    return [Value(value.dtype, broadcast(value.shape, _sizes(use, 1)))]


@allow("Tile", 2)
def _tile(use: Use) -> list[Value]:
    value, repeats = use.exact(0), _sizes(use, 1)
    if len(repeats) != len(value.shape):
        raise Refused("does not have one repeat for each dimension")
    return [Value(value.dtype, tuple(a * b for a, b in zip(value.shape, repeats, strict=True)))]


@allow("Range", 3)
def _range(use: Use) -> list[Value]:
    if any(value.shape for value in use.all):
        raise Refused("has a bound or step that is not a single number")
    start, limit, step = (int(use.known(i)) for i in range(3))
    if not step or len(range(start, limit, step)) > _LONGEST:
        raise Refused(f"makes more than {_LONGEST:,} numbers")
    numbers = range(start, limit, step)
    linear = any(value.linear for value in use.all)
    known = np.array(numbers, np.int64) if len(numbers) <= _KNOWN else None
    return [Value(use[0].dtype, (len(numbers),), known, linear=linear)]


def _sizes(use: Use, index: int) -> tuple[int, ...]:
    """Return the shape in the input ``index``."""
    numbers = use.known(index)
    if numbers.ndim != 1 or len(numbers) > 8 or (numbers < 0).any():
        raise Refused("has an invalid shape as input")
    return tuple(numbers.tolist())
