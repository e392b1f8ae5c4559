"""Reads an ONNX file: the model, its graph, and the graph's nodes with their attributes (onnx.proto)."""

from __future__ import annotations

from typing import Any

import numpy as np

from genrun.loading.graph.constants import read_tensor
from genrun.loading.graph.parts import DTYPES, Attribute, Graph, Node, OnnxFile, ValueInfo
from genrun.loading.graph.protobuf import BYTES, FIXED32, VARINT, Field, Malformed, Wire, signed

__all__ = ["read_onnx"]

_DEEPEST = 8  # graphs within graphs

# AttributeProto.AttributeType → number of the field with the value, and the letter
_ATTRIBUTES = {kind: (kind + 1, letter) for kind, letter in enumerate(("f", "i", "s", "t", "g", "fs", "is", "ss"), 1)}


def read_onnx(content: memoryview) -> OnnxFile:
    """Return the parts of an ONNX file; raises Malformed unless it is one graph of standard operators."""
    wire = Wire(content)
    whole = Field(0, BYTES, 0, 0, len(content))
    graph: Graph | None = None
    opset = 0
    for item in wire.message(whole, "a model", {1: VARINT, 5: VARINT}, {8, 14}):
        if item.number == 7:
            graph = _graph(wire, item, 0)
        elif item.number == 8:
            opset = _opset(wire, item) or opset
        elif item.number in (20, 25):
            raise Malformed("it has functions" if item.number == 25 else "it has a graph for training")
        elif item.number not in (1, 2, 3, 4, 5, 6, 14):
            raise Malformed(f"it has a field {item.number} that this genrun does not know")
    if graph is None or not opset:
        raise Malformed("it has no graph" if graph is None else "it does not use the standard operators")
    return OnnxFile(graph, opset, len(content))


def _opset(wire: Wire, item: Field) -> int:
    """Return the version of the standard operators; 0 for another operator set."""
    domain, version = "", 0
    for part in wire.message(item, "an opset", {2: VARINT}, set()):
        if part.number == 1:
            domain = wire.text(part, "the domain of an opset")
        else:
            version = part.value
    return version if domain in ("", "ai.onnx") else 0


def _graph(wire: Wire, item: Field, depth: int) -> Graph:
    if depth > _DEEPEST:
        raise Malformed(f"its graphs are nested more than {_DEEPEST} deep")
    graph = Graph()
    lists = {11: graph.inputs, 12: graph.outputs, 13: graph.declared}
    for part in wire.message(item, "a graph", {}, {1, 5, 11, 12, 13, 16}):
        if part.number == 1:
            graph.nodes.append(_node(wire, part, depth))
        elif part.number == 5:
            tensor = read_tensor(wire, part)
            if tensor.name in graph.constants or not tensor.name:
                raise Malformed(f"the constant {tensor.name!r} is there twice")
            graph.constants[tensor.name] = tensor
        elif part.number in lists:
            lists[part.number].append(_value_info(wire, part))
        elif part.number not in (2, 10, 16):
            raise Malformed(f"a graph has a field {part.number} that this genrun does not know")
    return graph


def _node(wire: Wire, item: Field, depth: int) -> Node:
    operator = ""
    inputs: list[str] = []
    outputs: list[str] = []
    attributes: dict[str, Attribute] = {}
    for part in wire.message(item, "a node", {}, {1, 2, 5, 9}):
        if part.number in (1, 2):
            (inputs if part.number == 1 else outputs).append(wire.text(part, "a name"))
        elif part.number == 4:
            operator = wire.text(part, "the name of an operator")
        elif part.number == 5:
            attribute = _attribute(wire, part, depth)
            if attribute.name in attributes:
                raise Malformed(f"an operator has the attribute {attribute.name!r} twice")
            attributes[attribute.name] = attribute
        elif part.number == 7:
            domain = wire.text(part, "the domain of an operator")
            if domain not in ("", "ai.onnx"):
                raise Malformed(f"it has an operator of the domain {domain[:60]!r}")
        elif part.number == 3:
            wire.text(part, "the name of a node")
        elif part.number not in (6, 9):
            raise Malformed(f"a node has a field {part.number} that this genrun does not know")
    return Node(operator, tuple(inputs), tuple(outputs), attributes)


def _attribute(wire: Wire, item: Field, depth: int) -> Attribute:
    kinds = {2: FIXED32, 3: VARINT, 7: FIXED32, 8: VARINT, 20: VARINT}
    parts = wire.message(item, "an attribute", kinds, {7, 8, 9})
    name, kind, values = "", 0, [part for part in parts if part.number not in (1, 13, 20)]
    for part in parts:
        if part.number == 1:
            name = wire.text(part, "the name of an attribute")
        elif part.number == 20:
            kind = part.value
    if kind not in _ATTRIBUTES:
        raise Malformed(f"the attribute {name[:60]!r} has a type that this genrun does not know")
    number, letter = _ATTRIBUTES[kind]
    if any(part.number != number for part in values) or (len(letter) == 1 and len(values) > 1):
        raise Malformed(f"the attribute {name[:60]!r} does not have one value of its type")
    if len(letter) == 1 and not values:  # protobuf writes every field that was set, even a zero
        raise Malformed(f"the attribute {name[:60]!r} has no value")
    return Attribute(name, letter, _attribute_value(wire, letter, values, depth))


def _attribute_value(wire: Wire, letter: str, values: list[Field], depth: int) -> Any:
    if letter == "g":
        return _graph(wire, values[0], depth + 1)
    if letter == "t":
        return read_tensor(wire, values[0])
    if letter in ("i", "is"):
        numbers = [signed(number) for value in values for number in wire.varints(value)]
    elif letter in ("f", "fs"):
        whole = b"".join(map(wire.bytes, values))
        if len(whole) % 4:
            raise Malformed("an attribute ends within a number")
        numbers = np.frombuffer(whole, "<f4").tolist()
    else:
        texts = [wire.text(value, "an attribute") for value in values]
        return texts[0] if letter == "s" else texts
    return numbers[0] if len(letter) == 1 else numbers


def _value_info(wire: Wire, item: Field) -> ValueInfo:
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
