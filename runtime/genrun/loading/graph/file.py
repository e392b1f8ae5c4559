"""Reads an ONNX file: the graph with its nodes, constants, inputs and outputs (onnx.proto)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.loading.graph.protobuf import BYTES, FIXED32, FIXED64, VARINT, Field, Malformed, Wire, signed

__all__ = ["DTYPES", "Attribute", "ExternalData", "Graph", "Node", "OnnxFile", "Tensor", "ValueInfo", "read_onnx"]

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
_BYTES = {name: int("".join(c for c in name if c.isdigit()) or 8) // 8 for name in DTYPES.values()}
_MOST_KNOWN = 1024  # elements of a constant whose values are read: shapes, axes, and the like
_DEEPEST = 8  # graphs within graphs

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


@dataclass(frozen=True, slots=True)
class Tensor:
    """A constant; ``known`` has its values if they are few whole numbers, else it is None."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    known: NDArray[np.int64] | None


@dataclass(frozen=True, slots=True)
class ValueInfo:
    """A declared value; ``shape`` has None for a dynamic dimension, and is None if no shape is declared."""

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute; ``kind`` is i, f, s, t or g for one value, and is, fs or ss for a list."""

    name: str
    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class Node:
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


@dataclass(frozen=True, slots=True)
class OnnxFile:
    """An ONNX file; ``opset``: the version of the standard operators; ``size``: of the file, in bytes."""

    graph: Graph
    opset: int
    size: int


def read_onnx(content: memoryview) -> OnnxFile:
    """Return the parts of an ONNX file; raises Malformed unless it is one graph of standard operators."""
    reader = _Reader(Wire(content))
    graph: Graph | None = None
    opset = 0
    for item in reader.fields(0, len(content), "a model", {1: VARINT, 5: VARINT}, {8, 14}):
        if item.number == 7:
            graph = reader.graph(item, 0)
        elif item.number == 8:
            opset = reader.opset(item) or opset
        elif item.number in (20, 25):
            raise Malformed("it has functions" if item.number == 25 else "it has a graph for training")
        elif item.number not in (1, 2, 3, 4, 5, 6, 14):
            raise Malformed(f"it has a field {item.number} that this genrun does not know")
    if graph is None or not opset:
        raise Malformed("it has no graph" if graph is None else "it does not use the standard operators")
    return OnnxFile(graph, opset, len(content))


class _Reader:
    """Reads the messages of onnx.proto by field number."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def fields(self, start: int, end: int, what: str, kinds: Mapping[int, int], repeated: set[int]) -> list[Field]:
        """Return the fields of the message ``what``.

        A field must have the wire type BYTES, or that in ``kinds``, and occur once, unless it is in ``repeated``.
        """
        found, seen = [], set()
        for item in self._wire.fields(start, end):
            if item.number not in repeated:
                if item.number in seen:
                    raise Malformed(f"{what} has the field {item.number} twice")
                seen.add(item.number)
            packed = item.number in repeated and item.kind == BYTES
            if item.kind != kinds.get(item.number, BYTES) and not packed:
                raise Malformed(f"{what} has the field {item.number} of the wire type {item.kind}")
            found.append(item)
        return found

    def _within(self, item: Field, what: str, kinds: Mapping[int, int], repeated: set[int]) -> list[Field]:
        return self.fields(item.start, item.end, what, kinds, repeated)

    def opset(self, item: Field) -> int:
        """Return the version of the standard operators; 0 for another operator set."""
        domain, version = "", 0
        for part in self._within(item, "an opset", {2: VARINT}, set()):
            if part.number == 1:
                domain = self._wire.text(part, "the domain of an opset")
            else:
                version = part.value
        return version if domain in ("", "ai.onnx") else 0

    def graph(self, item: Field, depth: int) -> Graph:
        """Return a graph."""
        if depth > _DEEPEST:
            raise Malformed(f"its graphs are nested more than {_DEEPEST} deep")
        graph = Graph()
        lists = {11: graph.inputs, 12: graph.outputs, 13: graph.declared}
        for part in self._within(item, "a graph", {}, {1, 5, 11, 12, 13, 16}):
            if part.number == 1:
                graph.nodes.append(self._node(part, depth))
            elif part.number == 5:
                tensor = self._tensor(part)
                if tensor.name in graph.constants or not tensor.name:
                    raise Malformed(f"the constant {tensor.name!r} is there twice")
                graph.constants[tensor.name] = tensor
            elif part.number in lists:
                lists[part.number].append(self._value_info(part))
            elif part.number not in (2, 10, 16):
                raise Malformed(f"a graph has a field {part.number} that this genrun does not know")
        return graph

    def _node(self, item: Field, depth: int) -> Node:
        operator = ""
        inputs: list[str] = []
        outputs: list[str] = []
        attributes: dict[str, Attribute] = {}
        for part in self._within(item, "a node", {}, {1, 2, 5, 9}):
            if part.number in (1, 2):
                (inputs if part.number == 1 else outputs).append(self._wire.text(part, "a name"))
            elif part.number == 4:
                operator = self._wire.text(part, "the name of an operator")
            elif part.number == 5:
                attribute = self._attribute(part, depth)
                if attribute.name in attributes:
                    raise Malformed(f"an operator has the attribute {attribute.name!r} twice")
                attributes[attribute.name] = attribute
            elif part.number == 7:
                domain = self._wire.text(part, "the domain of an operator")
                if domain not in ("", "ai.onnx"):
                    raise Malformed(f"it has an operator of the domain {domain[:60]!r}")
            elif part.number == 3:
                self._wire.text(part, "the name of a node")
            elif part.number not in (6, 9):
                raise Malformed(f"a node has a field {part.number} that this genrun does not know")
        return Node(operator, tuple(inputs), tuple(outputs), attributes)

    def _attribute(self, item: Field, depth: int) -> Attribute:
        kinds = {2: FIXED32, 3: VARINT, 7: FIXED32, 8: VARINT, 20: VARINT}
        parts = self._within(item, "an attribute", kinds, {7, 8, 9})
        name, kind, values = "", 0, [part for part in parts if part.number not in (1, 13, 20)]
        for part in parts:
            if part.number == 1:
                name = self._wire.text(part, "the name of an attribute")
            elif part.number == 20:
                kind = part.value
        if kind not in _ATTRIBUTES:
            raise Malformed(f"the attribute {name[:60]!r} has a type that this genrun does not know")
        number, letter = _ATTRIBUTES[kind]
        if any(part.number != number for part in values) or (len(letter) == 1 and len(values) > 1):
            raise Malformed(f"the attribute {name[:60]!r} does not have one value of its type")
        if len(letter) == 1 and not values:  # protobuf writes every field that was set, even a zero
            raise Malformed(f"the attribute {name[:60]!r} has no value")
        return Attribute(name, letter, self._attribute_value(letter, values, depth))

    def _attribute_value(self, letter: str, values: list[Field], depth: int) -> Any:
        if letter == "g":
            return self.graph(values[0], depth + 1)
        if letter == "t":
            return self._tensor(values[0])
        if letter in ("i", "is"):
            numbers = [signed(number) for value in values for number in self._wire.varints(value)]
        elif letter in ("f", "fs"):
            whole = b"".join(map(self._wire.bytes, values))
            if len(whole) % 4:
                raise Malformed("an attribute ends within a number")
            numbers = np.frombuffer(whole, "<f4").tolist()
        else:
            texts = [self._wire.text(value, "an attribute") for value in values]
            return texts[0] if letter == "s" else texts
        return numbers[0] if len(letter) == 1 else numbers

    def _tensor(self, item: Field) -> Tensor:
        kinds = {1: VARINT, 2: VARINT, 4: FIXED32, 5: VARINT, 7: VARINT, 10: FIXED64, 11: VARINT, 14: VARINT}
        name, code, data = "", 0, None
        shape: list[int] = []
        for part in self._within(item, "a constant", kinds, {1, 16, *_TYPED_DATA}):
            if part.number == 1:
                shape += map(signed, self._wire.varints(part))
            elif part.number == 2:
                code = part.value
            elif part.number == 8:
                name = self._wire.text(part, "the name of a constant")
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
        return Tensor(name, dtype, tuple(shape), self._known(name, dtype, shape, data))

    def _known(self, name: str, dtype: str, shape: list[int], data: Field | None) -> NDArray[np.int64] | None:
        """Return the values of a small constant of whole numbers; raises Malformed if their number is wrong."""
        count = 1
        for size in shape:
            count *= size
        raw = np.frombuffer(self._wire.content[data.start : data.end], np.uint8) if data else np.zeros(0, np.uint8)
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
            values = np.array([signed(number) for number in self._wire.varints(data)], np.int64)
        else:
            values = raw.view("<i8" if dtype == "int64" else "<i4" if dtype == "int32" else "?").astype(np.int64)
        return values.reshape(shape)

    def _value_info(self, item: Field) -> ValueInfo:
        name, dtype, shape = "", "", None
        for part in self._within(item, "a value", {}, {4}):
            if part.number == 1:
                name = self._wire.text(part, "the name of a value")
            elif part.number == 2:
                dtype, shape = self._type(part, name)
        return ValueInfo(name, dtype, shape)

    def _type(self, item: Field, name: str) -> tuple[str, tuple[int | None, ...] | None]:
        code, shape = 0, None
        for part in self._within(item, "a type", {}, set()):
            if part.number not in (1, 6):
                raise Malformed(f"the graph's {name[:60]!r} is not a tensor")
            for inner in self._within(part, "a tensor's type", {1: VARINT}, set()) if part.number == 1 else ():
                if inner.number == 1:
                    code = inner.value
                elif inner.number == 2:
                    dimensions = self._within(inner, "a shape", {}, {1})
                    shape = tuple(self._dimension(dimension) for dimension in dimensions)
        if code not in DTYPES:
            raise Malformed(f"the graph's {name[:60]!r} is not a tensor of an accepted type")
        return DTYPES[code], shape

    def _dimension(self, item: Field) -> int | None:
        size = None
        for part in self._within(item, "a dimension", {1: VARINT}, set()):
            if part.number == 1:
                size = signed(part.value)
            elif part.number == 2:
                self._wire.text(part, "the name of a dimension")
        if size is not None and not 0 <= size < 2**31:
            raise Malformed(f"a dimension is {size}")
        return size


# AttributeProto.AttributeType → number of the field with the value, and the letter
_ATTRIBUTES = {1: (2, "f"), 2: (3, "i"), 3: (4, "s"), 4: (5, "t"), 5: (6, "g"), 6: (7, "fs"), 7: (8, "is")}
_ATTRIBUTES[8] = (9, "ss")
