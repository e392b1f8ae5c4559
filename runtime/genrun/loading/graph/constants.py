"""Reads the constants of an ONNX file: types and shapes of all, values of those that shapes depend on."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from genrun.loading.graph.parts import DTYPES, Tensor
from genrun.loading.graph.protobuf import BYTES, FIXED32, FIXED64, VARINT, Field, Malformed, Wire, signed

__all__ = ["ExternalData", "read_tensor"]

_BYTES = {name: int("".join(c for c in name if c.isdigit()) or 8) // 8 for name in DTYPES.values()}
_MOST_KNOWN = 1024  # elements of a constant whose values are read: shapes, axes, and the like

# TensorProto: field → the dtypes that it may hold (raw_data may hold all), and whether its numbers are varints
_TYPED_DATA = {
    4: ({"float32"}, False),
    5: ({"int32", "int16", "int8", "uint16", "uint8", "bool", "float16", "bfloat16"}, True),
    7: ({"int64"}, True),
    10: ({"float64"}, False),
    11: ({"uint64", "uint32"}, True),
}


class ExternalData(Malformed):
    """A tensor is stored in another file."""


def read_tensor(wire: Wire, item: Field) -> Tensor:
    """Return a constant (TensorProto); raises Malformed, or ExternalData if its values are in another file."""
    kinds = {1: VARINT, 2: VARINT, 4: FIXED32, 5: VARINT, 7: VARINT, 10: FIXED64, 11: VARINT, 14: VARINT}
    name, code, data = "", 0, None
    shape: list[int] = []
    for part in wire.message(item, "a constant", kinds, {1, 16, *_TYPED_DATA}):
        if part.number == 1:
            shape += map(signed, wire.varints(part))
        elif part.number == 2:
            code = part.value
        elif part.number == 8:
            name = wire.text(part, "the name of a constant")
        elif part.number == 13 or (part.number == 14 and part.value):
            raise ExternalData
        elif part.number in (*_TYPED_DATA, 9):
            if data is not None:
                raise Malformed(f"the constant {name[:60]!r} has its values twice")
            data = part
        elif part.number not in (12, 14, 16):
            raise Malformed(f"a constant has a field {part.number} that this genrun does not know")
    dtype = DTYPES.get(code)
    if dtype is None or any(size < 0 for size in shape) or len(shape) > 8:
        raise Malformed(f"the constant {name[:60]!r} has a type or shape that this genrun does not know")
    return Tensor(name, dtype, tuple(shape), _known(wire, name, dtype, shape, data))


def _known(wire: Wire, name: str, dtype: str, shape: list[int], data: Field | None) -> NDArray[np.int64] | None:
    """Return the values of a small constant of whole numbers; raises Malformed if their number is wrong."""
    count = math.prod(shape)
    raw = np.frombuffer(wire.content[data.start : data.end], np.uint8) if data else np.zeros(0, np.uint8)
    if data is None or data.number == 9:
        fits = len(raw) == count * _BYTES[dtype]
    else:
        dtypes, varints = _TYPED_DATA[data.number]
        numbers = int(np.count_nonzero(raw < 0x80)) if varints else len(raw) // _BYTES[dtype]
        fits = dtype in dtypes and data.kind == BYTES and numbers == count
    if not fits:
        raise Malformed(f"the constant {name[:60]!r} does not have the values that its shape asks for")
    if data is None or count > _MOST_KNOWN or dtype not in ("int64", "int32", "bool"):
        return np.zeros(shape, np.int64) if count == 0 else None
    if data.number != 9:
        values = np.array([signed(number) for number in wire.varints(data)], np.int64)
    else:
        values = raw.view("<i8" if dtype == "int64" else "<i4" if dtype == "int32" else "?").astype(np.int64)
    return values.reshape(shape)
