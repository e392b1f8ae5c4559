"""Damage to a sound file: to its bytes, its protobuf structure, and its metadata; the same for the same numbers."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable
from typing import Any

import onnx
from onnx import helper

from genrun.loading.graph.protobuf import BYTES, FIXED32, VARINT, Malformed, Wire
from genrun.loading.graph.rules import OPERATORS

__all__ = ["damaged_bytes", "damaged_metadata", "damaged_structure"]

_SIZES = [0, 1, 2, 3, 127, 128, 2**16, 2**29, 2**31 - 1, 2**31, 2**32, 2**40, 2**63 - 1]
_NASTY: list[Any] = [
    None, True, False, 0, -1, 1, 7, 2**31, 2**63, 10**400, 0.5, -1e308, "", "a", "\0", "\x1b[2J", "\u202e", "\ud83d",
    "x" * 10_000, " ", "<unk>", [], {}, [[]], [0], ["a"], {"a": 1}, {"step": "isolate", "characters": " "},
    [{"step": "isolate", "characters": " ."}] * 50,
]  # fmt: skip


def damaged_bytes(content: bytes, chance: random.Random) -> bytes:
    """Return the bytes with one to three changes: a bit or byte, a cut, some inserted, removed or repeated."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at, kind = chance.randrange(max(len(data), 1)), chance.random()
        if not data:
            break
        if kind < 0.5:
            data[at] ^= 1 << chance.randrange(8)
        elif kind < 0.8:
            data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
        elif kind < 0.85:
            del data[at:]
        elif kind < 0.9:
            data[at:at] = chance.randbytes(chance.randrange(1, 9))
        elif kind < 0.95:
            del data[at : at + chance.randrange(1, 9)]
        else:
            data[at:at] = data[at : at + chance.randrange(1, 200)]
    return bytes(data)


def damaged_structure(content: bytes, chance: random.Random) -> bytes:
    """Return a file with a change that keeps it protobuf: of its fields, or of what they mean in ONNX."""
    if chance.random() < 0.4:
        return _other_fields(content, chance)
    model = onnx.ModelProto()
    model.ParseFromString(content)
    for _ in range(chance.choice((1, 1, 2, 4))):
        chance.choice(_CHANGES)(model, chance)
    return bytes(model.SerializeToString())


def damaged_metadata(content: bytes, chance: random.Random) -> bytes:
    """Return a file one of whose documents holds something else in some place."""
    model = onnx.ModelProto()
    model.ParseFromString(content)
    entry = chance.choice(list(model.metadata_props))
    if chance.random() < 0.1:
        entry.value = chance.choice(
            ["", "[" * 10_000, '{"a":' * 5_000, "NaN", "1" * 5_000, entry.value[:-2], "\\ud800"]
        )
    else:
        value = json.loads(entry.value)
        changed = _replaced(value, chance)
        entry.value = json.dumps(changed, ensure_ascii=chance.random() < 0.5).encode("utf-8", "replace").decode()
    if chance.random() < 0.05:
        model.metadata_props.add(key=entry.key, value="{}")
    return bytes(model.SerializeToString())


def _replaced(value: Any, chance: random.Random) -> Any:
    """Return a JSON value with something else in one place of it."""
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice(list(value))
        if chance.random() < 0.1:
            return {name: item for name, item in value.items() if name != key}
        return {**value, key: _replaced(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.8:
        at = chance.randrange(len(value))
        kind = chance.random()
        if kind < 0.1:
            return value[:at] + value[at + 1 :]
        if kind < 0.2:
            return value[:at] + value[at : at + 1] * chance.choice((2, 100, 3000)) + value[at:]
        return [*value[:at], _replaced(value[at], chance), *value[at + 1 :]]
    return chance.choice(_NASTY)


def _other_fields(content: bytes, chance: random.Random) -> bytes:
    """Return a message in which one field, at some depth, is dropped, doubled, moved, or another one."""
    view = memoryview(content)
    try:
        fields = list(Wire(view).fields(0, len(content)))
    except Malformed:
        return content
    if not fields:
        return content
    at, starts = chance.randrange(len(fields)), [0, *(field.end for field in fields)]
    pieces = [content[a:b] for a, b in itertools.pairwise(starts)]
    field, kind = fields[at], chance.random()
    inner = content[field.start : field.end]
    if field.kind == BYTES and len(inner) > 1 and kind < 0.75:
        pieces[at] = _encoded(field.number, BYTES, _other_fields(inner, chance))
    elif kind < 0.8:
        del pieces[at]
    elif kind < 0.85:
        pieces.insert(at, pieces[at])
    elif kind < 0.9:
        pieces.insert(chance.randrange(len(pieces)), pieces.pop(at))
    elif field.kind == VARINT:
        pieces[at] = _varint(field.number << 3) + _varint(chance.choice(_SIZES))
    else:
        number = chance.choice((field.number, field.number + 1, chance.randrange(1, 30)))
        pieces[at] = _encoded(number, chance.choice((BYTES, BYTES, VARINT, FIXED32)), inner)
    return b"".join(pieces)


def _encoded(number: int, kind: int, inner: bytes) -> bytes:
    if kind == BYTES:
        return _varint(number << 3 | BYTES) + _varint(len(inner)) + inner
    return _varint(number << 3 | kind) + (inner[:4].ljust(4, b"\0") if kind == FIXED32 else _varint(len(inner)))


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | 0x80 if value else low)
        if not value:
            return bytes(out)


def _any_node(model: Any, chance: random.Random) -> Any:
    """Return a node of the graph, or of a graph within it."""
    graph = model.graph
    while True:
        node = chance.choice(list(graph.node))
        inner = [attribute.g for attribute in node.attribute if attribute.type == onnx.AttributeProto.GRAPH]
        if not inner or chance.random() < 0.3:
            return node
        graph = chance.choice(inner)
        if not graph.node:
            return node


def _names(model: Any) -> list[str]:
    graph = model.graph
    made = [name for node in graph.node for name in node.output]
    return [*made, *(value.name for value in (*graph.input, *graph.initializer)), ""]


def _operator(model: Any, chance: random.Random) -> None:
    _any_node(model, chance).op_type = chance.choice([*OPERATORS, "Loop", "Scan", "OneHot", "NonZero", "", "Nothing"])


def _input(model: Any, chance: random.Random) -> None:
    node = _any_node(model, chance)
    if node.input:
        node.input[chance.randrange(len(node.input))] = chance.choice(_names(model))


def _arity(model: Any, chance: random.Random) -> None:
    node, kind = _any_node(model, chance), chance.random()
    listed = node.input if chance.random() < 0.6 else node.output
    if kind < 0.4 and listed:
        del listed[chance.randrange(len(listed))]
    else:
        listed.append(chance.choice([*_names(model), "new"]))


def _attribute(model: Any, chance: random.Random) -> None:
    node = _any_node(model, chance)
    if node.attribute and chance.random() < 0.7:
        attribute = chance.choice(list(node.attribute))
        attribute.i = chance.choice((-(2**63), -2, -1, 0, 1, 2, 3, 100, 2**31, 2**62))
        if chance.random() < 0.2:
            attribute.type = chance.randrange(15)
        return
    name = chance.choice(("axis", "keepdims", "num_outputs", "to", "batch_dims", "perm", "alpha", "odd"))
    value: Any = chance.choice((0, -1, 5, 1.5, "x", [0, 1], [1, 1], [-1]))
    node.attribute.append(helper.make_attribute(name, value))


def _constant(model: Any, chance: random.Random) -> None:
    tensor, kind = chance.choice(list(model.graph.initializer)), chance.random()
    if kind < 0.4:
        tensor.dims[:] = [chance.choice(_SIZES) for _ in range(chance.randrange(4))]
    elif kind < 0.6:
        tensor.data_type = chance.randrange(25)
    elif kind < 0.8:
        tensor.raw_data = tensor.raw_data[: chance.randrange(len(tensor.raw_data) + 1)]
    else:
        tensor.raw_data = chance.randbytes(len(tensor.raw_data))


def _declared(model: Any, chance: random.Random) -> None:
    value = chance.choice([*model.graph.input, *model.graph.output])
    kind, shape = chance.random(), value.type.tensor_type.shape
    if kind < 0.6 and shape.dim:
        chance.choice(list(shape.dim)).dim_value = chance.choice(_SIZES)
    elif kind < 0.8:
        value.type.tensor_type.elem_type = chance.randrange(25)
    else:
        value.name = chance.choice(_names(model))


def _order(model: Any, chance: random.Random) -> None:
    nodes = list(model.graph.node)
    kind, at = chance.random(), chance.randrange(len(nodes))
    if kind < 0.4:
        del nodes[at]
    elif kind < 0.7:
        nodes.insert(at, nodes[chance.randrange(len(nodes))])
    else:
        chance.shuffle(nodes)
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del model.graph.node[:]
    model.graph.node.extend(copies)


def _nested(model: Any, chance: random.Random) -> None:
    graph = helper.make_graph([], "inner", [], [helper.make_tensor_value_info("logits", 1, None)])
    for depth in range(chance.choice((1, 3, 9, 20))):
        inner = helper.make_node(
            "If", ["token"], [f"chosen.{depth}"], then_branch=graph, else_branch=onnx.GraphProto()
        )
        graph = helper.make_graph([inner], "inner", [], [])
    model.graph.node.extend(graph.node)


_CHANGES: list[Callable[[Any, random.Random], None]] = [
    _operator, _input, _input, _arity, _attribute, _attribute, _constant, _declared, _order, _nested,
]  # fmt: skip
