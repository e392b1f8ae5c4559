"""Reads genrun's metadata of an ONNX file, and computes the digest that detects a changed file."""

from __future__ import annotations

import hashlib

from genrun.loading.graph.protobuf import BYTES, Field, Malformed, Wire

__all__ = ["DIGEST", "PREFIX", "Properties", "digest_entry", "digest_of", "read_properties", "with_digest"]

PREFIX = "genrun."
DIGEST = f"{PREFIX}digest"
_METADATA = 14  # field of a ModelProto: entries of key (1) and value (2)
_MEBIBYTE = 2**20
# The most bytes of each document; other entries are not read.
_MOST_BYTES = {
    "format_version": 16,
    "digest": 128,
    "tokenizer": 256 * _MEBIBYTE,
    "generation": 2 * _MEBIBYTE,
    "card": 2 * _MEBIBYTE,
    "verification": 16 * _MEBIBYTE,
    "originality": 32 * _MEBIBYTE,
}


class Properties(dict[str, str]):
    """The documents of a model file by key, with the prefix ``genrun.``.

    ``signed``: start and end of the digest's entry in the file; None without a digest.
    """

    signed: tuple[int, int] | None = None


def read_properties(content: memoryview) -> Properties:
    """Return genrun's metadata; raises Malformed for an entry that is too large, not UTF-8, or there twice."""
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
    """Return the key of an entry if it is genrun's, else an empty text; raises Malformed if it is too large."""
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
    """Return the digest of a file without its bytes ``without`` (start, end), which hold the digest itself."""
    sha = hashlib.sha256(content[: without[0]])
    sha.update(content[without[1] :])
    return f"sha256:{sha.hexdigest()}"


def with_digest(content: bytes) -> bytes:
    """Return the ONNX file ``content`` with its digest as an additional metadata entry.

    >>> len(with_digest(b""))
    90
    """
    return content + digest_entry(hashlib.sha256(content).hexdigest())


def digest_entry(sha256: str) -> bytes:
    """Return the metadata entry to append to an ONNX file whose bytes so far have the hash ``sha256``, hexadecimal.

    >>> len(digest_entry(64 * "0"))
    90
    """
    texts = (1, DIGEST), (2, f"sha256:{sha256}")
    entry = b"".join(bytes([number << 3 | BYTES, len(text)]) + text.encode() for number, text in texts)
    return bytes([_METADATA << 3 | BYTES, len(entry)]) + entry
