"""The metadata of an ONNX file, texts by name, and the digest by which a changed file is noticed."""

from __future__ import annotations

import hashlib

from genrun.loading.graph.protobuf import BYTES, Field, Malformed, Wire

__all__ = ["DIGEST", "PREFIX", "Properties", "digest_of", "read_properties", "with_digest"]

PREFIX = "genrun."
DIGEST = f"{PREFIX}digest"
_METADATA = 14  # field of a ModelProto: entries of key (1) and value (2)
_MEBIBYTE = 2**20
# The most bytes that a document may have; those that are not listed are not read.
_MOST_BYTES = {
    "format_version": 16,
    "digest": 128,
    "tokenizer": 256 * _MEBIBYTE,
    "generation": 2 * _MEBIBYTE,
    "card": 2 * _MEBIBYTE,
    "verification": 16 * _MEBIBYTE,
}


class Properties(dict[str, str]):
    """The documents of a model file by key, ``genrun.`` included.

    ``signed``: where the entry of the digest begins and ends in the file, None without one.
    """

    signed: tuple[int, int] | None = None


def read_properties(content: memoryview) -> Properties:
    """Return the metadata of genrun's; raises Malformed for what is too large, not UTF-8, or there twice."""
    properties, wire, at = Properties(), Wire(content), 0
    for entry in wire.fields(0, len(content)):
        if entry.number == _METADATA and entry.kind == BYTES:
            parts = {part.number: part for part in wire.fields(entry.start, entry.end) if part.kind == BYTES}
            key = _key(wire, parts)
            if key in properties:
                raise Malformed(f"it has the metadata {key!r} twice")
            if key:
                properties[key] = wire.text(parts[2], key) if 2 in parts else ""
            if key == DIGEST:
                properties.signed = at, entry.end
        at = max(at, entry.end)
    return properties


def _key(wire: Wire, parts: dict[int, Field]) -> str:
    """Return the key of an entry that is to be read, empty for any other; raises Malformed if it is too large."""
    if 1 not in parts or parts[1].end - parts[1].start > 64:
        return ""
    key = wire.text(parts[1], "the name of a metadata entry")
    most = _MOST_BYTES.get(key.removeprefix(PREFIX)) if key.startswith(PREFIX) else None
    if most is None:
        return ""
    size = parts[2].end - parts[2].start if 2 in parts else 0
    if size > most:
        raise Malformed(f"{key} has {size:,} bytes; at most {most:,} are accepted")
    return key


def digest_of(content: memoryview, without: tuple[int, int]) -> str:
    """Return the digest of a file without the bytes ``without``, in which the digest itself stands."""
    sha = hashlib.sha256(content[: without[0]])
    sha.update(content[without[1] :])
    return f"sha256:{sha.hexdigest()}"


def with_digest(content: bytes) -> bytes:
    """Return an ONNX file with the digest of what ``content`` is, as one more entry of its metadata.

    >>> len(with_digest(b""))
    90
    """
    digest = digest_of(memoryview(content), (len(content), len(content)))
    entry = b"".join(
        bytes([number << 3 | BYTES, len(text)]) + text.encode() for number, text in ((1, DIGEST), (2, digest))
    )
    return content + bytes([_METADATA << 3 | BYTES, len(entry)]) + entry
