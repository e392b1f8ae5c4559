"""What a file is that is no model, for the error of opening it."""

from __future__ import annotations

__all__ = ["other_kind"]

_LOOKED_AT = 512  # bytes
_MAGIC = (
    (b"PK\x03\x04", "a zip archive (a .keras file is one: genrun export makes a model file of its run folder)"),
    (b"\x1f\x8b", "a gzip archive: unpack it first"),
    (b"\x89HDF", "an HDF5 file of Keras: genrun export makes a model file of a run folder"),
    (b"%PDF", "a PDF file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x93NUMPY", "an array of NumPy"),
)


def other_kind(content: memoryview) -> str:
    """Return what ``content`` is, if it is a well-known kind of file, and empty if it may be a damaged model.

    >>> other_kind(memoryview(b"Dear model, ...")), other_kind(memoryview(bytes([8, 8, 18])))
    ('a text file', '')
    """
    begins = bytes(content[:_LOOKED_AT])
    for magic, kind in _MAGIC:
        if begins.startswith(magic):
            return kind
    text = begins.decode("utf-8", "ignore")
    is_whole = len(text.encode()) >= len(begins) - 3  # a character may be cut at the end
    return "a text file" if is_whole and all(c.isprintable() or c in "\t\n\r\ufeff" for c in text) else ""
