"""Reads the wire format of protobuf: a message as its fields, without a schema.

It is stricter than protobuf itself, which repairs and merges: bytes that two parsers could read differently are
refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

__all__ = ["BYTES", "FIXED32", "FIXED64", "VARINT", "Field", "Malformed", "Wire", "signed"]

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_WIDTHS = {FIXED64: 8, FIXED32: 4}
_MOST_FIELDS = 500_000  # in one file: about half a second of reading


class Malformed(Exception):
    """The bytes are not a well-formed ONNX file."""


class Field(NamedTuple):
    """A field of a message: its ``number``, its wire type ``kind``, and its content.

    ``value``: the value of a varint; 0 for the other kinds, whose content is the bytes from ``start`` to ``end``.
    """

    number: int
    kind: int
    value: int
    start: int
    end: int


class Wire:
    """The bytes of a file, with a limit on the number of fields read from it.

    >>> [(field.number, field.value) for field in Wire(memoryview(bytes([8, 150, 1]))).fields(0, 3)]
    [(1, 150)]
    """

    def __init__(self, content: memoryview) -> None:
        self.content = content
        self._left = _MOST_FIELDS

    def fields(self, at: int, end: int) -> Iterator[Field]:
        """Yield the fields of the message between ``at`` and ``end``; raises Malformed."""
        while at < end:
            self._left -= 1
            if self._left < 0:
                raise Malformed(f"it has more than {_MOST_FIELDS:,} fields")
            key, at = self._varint(at, end)
            number, kind = key >> 3, key & 7
            if not 0 < number < 2**29:
                raise Malformed(f"it has a field of the number {number}")
            if kind == VARINT:
                value, at = self._varint(at, end)
                yield Field(number, kind, value, at, at)
                continue
            if kind == BYTES:
                size, at = self._varint(at, end)
            elif kind in _WIDTHS:
                size = _WIDTHS[kind]
            else:
                raise Malformed(f"it has a field of the wire type {kind}")
            if size > end - at:
                raise Malformed("it ends within a field")
            yield Field(number, kind, 0, at, at + size)
            at += size

    def message(self, item: Field, what: str, kinds: Mapping[int, int], repeated: set[int]) -> list[Field]:
        """Return the fields of a message that is the content of a field; ``what`` is its name.

        A field must have the wire type BYTES, or that in ``kinds``, and occur once, unless it is in ``repeated``.
        """
        found, seen = [], set()
        for part in self.fields(item.start, item.end):
            if part.number not in repeated:
                if part.number in seen:
                    raise Malformed(f"{what} has the field {part.number} twice")
                seen.add(part.number)
            packed = part.number in repeated and part.kind == BYTES
            if part.kind != kinds.get(part.number, BYTES) and not packed:
                raise Malformed(f"{what} has the field {part.number} of the wire type {part.kind}")
            found.append(part)
        return found

    def bytes(self, field: Field) -> bytes:
        """Return the content of a field."""
        return bytes(self.content[field.start : field.end])

    def text(self, field: Field, what: str) -> str:
        """Return the content of a field as text; raises Malformed, with ``what`` as its name, if it is not UTF-8."""
        try:
            return str(self.content[field.start : field.end], "utf-8")
        except UnicodeDecodeError:
            raise Malformed(f"{what} is not UTF-8 text") from None

    def varints(self, field: Field) -> list[int]:
        """Return the numbers of a repeated field: one varint or a packed list of them."""
        if field.kind == VARINT:
            return [field.value]
        values, at = [], field.start
        while at < field.end:
            value, at = self._varint(at, field.end)
            values.append(value)
        return values

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        """Return the number at ``at`` and the position after it (base 128, the lowest seven bits first)."""
        value = shift = 0
        content = self.content
        while at < end:
            byte = content[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >= 2**64:
                    break
                return value, at
            shift += 7
            if shift > 63:
                break
        raise Malformed("it ends within a number" if at >= end else "it has a number of more than 64 bits")


def signed(value: int) -> int:
    """Return the int64 value of a varint.

    >>> signed(2**64 - 1)
    -1
    """
    return value - 2**64 if value >= 2**63 else value
