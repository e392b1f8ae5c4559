"""Reads the declared values of an ONNX file: names, types and shapes of inputs, outputs and what is between."""

from __future__ import annotations

from genrun.loading.graph.parts import DTYPES, ValueInfo
from genrun.loading.graph.protobuf import VARINT, Field, Malformed, Wire, signed

__all__ = ["read_value_info"]


def read_value_info(wire: Wire, item: Field) -> ValueInfo:
    """Return an input, output or intermediate value (ValueInfoProto); raises Malformed unless it is a tensor."""
    name, dtype, shape = "", "", None
    for part in wire.message(item, "a value", {}, {4}):
        if part.number == 1:
            name = wire.text(part, "the name of a value")
        elif part.number == 2:
            dtype, shape = _type(wire, part, name)
    return ValueInfo(name, dtype, shape)


def _type(wire: Wire, item: Field, name: str) -> tuple[str, tuple[int | None, ...] | None]:
    code, shape = 0, None
    for part in wire.message(item, "a type", {}, set()):
        if part.number not in (1, 6):
            raise Malformed(f"the graph's {name[:60]!r} is not a tensor")
        for inner in wire.message(part, "a tensor's type", {1: VARINT}, set()) if part.number == 1 else ():
            if inner.number == 1:
                code = inner.value
            elif inner.number == 2:
                dimensions = wire.message(inner, "a shape", {}, {1})
                shape = tuple(_dimension(wire, dimension) for dimension in dimensions)
    if code not in DTYPES:
        raise Malformed(f"the graph's {name[:60]!r} is not a tensor of an accepted type")
    return DTYPES[code], shape


def _dimension(wire: Wire, item: Field) -> int | None:
    size = None
    for part in wire.message(item, "a dimension", {1: VARINT}, set()):
        if part.number == 1:
            size = signed(part.value)
        elif part.number == 2:
            wire.text(part, "the name of a dimension")
    if size is not None and not 0 <= size < 2**31:
        raise Malformed(f"a dimension is {size}")
    return size
