"""Refuses model files whose tensors are in other files: a model file is one file, and must not read others.

An ONNX tensor may name a path ("external data"), and some versions of onnxruntime follow it anywhere on the disk.
This module walks the protobuf structure of the file as far as every tensor, without reading the tensors' contents.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from genrun.errors import ModelFileError

__all__ = ["refuse_external_data"]

# message → field number → message, for the fields that can lead to a tensor (onnx.proto)
_FIELDS = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14
_DEEPEST = 100  # messages within messages: the limit of protobuf itself


def refuse_external_data(path: Path, content: memoryview) -> None:
    """Raise ModelFileError if a tensor of the ONNX file ``content`` is stored in another file; ``path`` names it.

    A file that is not well-formed protobuf passes here; onnxruntime refuses it.
    """
    try:
        external = _leads_outside(content, 0, len(content), "model", 0)
    except (IndexError, ValueError):
        return
    if external:
        raise ModelFileError(
            f"{path} keeps tensors in other files; a genrun model is one file that carries everything"
        )


def _leads_outside(content: memoryview, start: int, end: int, message: str, depth: int) -> bool:
    if depth > _DEEPEST:
        raise ValueError
    for number, value, size in _fields(content, start, end):
        if message == "tensor" and (number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value)):
            return True
        inner = _FIELDS[message].get(number)
        if inner is not None and size is not None and _leads_outside(content, value, value + size, inner, depth + 1):
            return True
    return False


def _fields(content: memoryview, at: int, end: int) -> Iterator[tuple[int, int, int | None]]:
    """Yield the fields of a message: (number, value, None) for a varint, (number, start, size) for bytes."""
    groups = 0  # depth of groups, an obsolete kind of message without a size; protobuf skips unknown ones
    while at < end:
        key, at = _varint(content, at)
        number, kind = (key & 0xFFFFFFFF) >> 3, key & 7  # protobuf's own parser drops the bits above 32
        if kind == 0:
            value, at = _varint(content, at)
            if not groups:
                yield number, value, None
        elif kind == 2:
            size, at = _varint(content, at)
            if at + size > end:
                raise ValueError
            if not groups:
                yield number, at, size
            at += size
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        elif kind == 3:
            groups += 1
        elif kind == 4 and groups:
            groups -= 1
        else:
            raise ValueError


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    """Return the number at ``at`` and the position after it (protobuf's base-128 encoding)."""
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError
