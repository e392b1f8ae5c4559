"""Bytes as printable letters, one for each of the 256, so that a vocabulary of byte sequences is a list of texts.

A byte that is a printable character of Latin-1 is that character; the others are U+0100 and the following ones, in
order: a space is ``Ġ``. (Radford et al., "Language Models are Unsupervised Multitask Learners", 2019; most programs
with byte-level BPE use the same letters.)
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["LETTERS", "bytes_of", "is_bytes", "letters_of"]

_PRINTABLE = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
_OTHERS = {byte: 0x100 + number for number, byte in enumerate(sorted({*range(256)} - _PRINTABLE))}
LETTERS = tuple(chr(_OTHERS.get(byte, byte)) for byte in range(256))  # by byte

_TO_LETTERS = dict(_OTHERS)  # for str.translate, of bytes read as Latin-1
_TO_LATIN = {letter: byte for byte, letter in _OTHERS.items()}
_KNOWN = frozenset(LETTERS)


def letters_of(data: bytes) -> str:
    """Return the letters of ``data``, one for each byte.

    >>> letters_of(" é".encode())
    'ĠÃ©'
    """
    return data.decode("latin-1").translate(_TO_LETTERS)


def bytes_of(letters: str) -> bytes:
    """Return the bytes that ``letters`` stand for, the inverse of :func:`letters_of`.

    >>> bytes_of("ĠÃ©").decode()
    ' é'
    """
    return letters.translate(_TO_LATIN).encode("latin-1")


def is_bytes(texts: Iterable[str]) -> bool:
    """Return whether all ``texts`` are letters of bytes, and none is empty."""
    return all(text and _KNOWN.issuperset(text) for text in texts)
