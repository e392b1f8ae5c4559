"""Decodes files to text without losing any: bytes that cannot be decoded raise an error with file and line."""

from __future__ import annotations

import codecs
import contextlib
import io
import sys
from collections.abc import Iterator
from typing import BinaryIO

from genrun.errors import CorpusError, OptionError, one_line
from genrun.sources import STANDARD_INPUT

__all__ = ["check_encoding", "lines", "pieces"]

_PIECE_BYTES = 1 << 16
_COMPRESSED = (b"\x1f\x8b", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")  # gzip, xz, zstandard
_REMEDY = "name the file's encoding with --set reader.encoding=… (for example {})"


def check_encoding(encoding: str) -> None:
    """Raise OptionError unless ``encoding`` is a text encoding that Python knows.

    >>> check_encoding("euc-kr")
    >>> check_encoding("hex")
    Traceback (most recent call last):
    genrun.errors.OptionError: encoding 'hex' is not a text encoding; use one such as utf-8, euc-kr, cp1252
    """
    try:
        "a".encode(encoding)  # also refuses codecs such as hex, which do not make text
        usable = codecs.lookup(encoding).incrementaldecoder is not None
    except (LookupError, ValueError):  # ValueError: a NUL in the name, or a codec that refuses everything
        usable = False
    if not usable:
        raise OptionError(f"encoding {encoding!r} is not a text encoding; use one such as utf-8, euc-kr, cp1252")


def lines(name: str, encoding: str) -> Iterator[str]:
    r"""Yield the lines of a file without their ends; only ``\n``, ``\r\n`` and ``\r`` end a line.

    ``str.splitlines`` would also split at U+2028, form feeds and the like, which may occur inside a document.
    """
    translate = io.IncrementalNewlineDecoder(None, translate=True)
    unfinished: list[str] = []
    for piece in pieces(name, encoding):
        head, *rest = translate.decode(piece).split("\n")
        unfinished.append(head)
        for line in rest:
            yield "".join(unfinished)
            unfinished = [line]
    *last, after = ("".join(unfinished) + translate.decode("", final=True)).split("\n")
    yield from last
    if after:
        yield after


def pieces(name: str, encoding: str) -> Iterator[str]:
    """Yield the text of a file, or of standard input, in pieces of bounded size, with line ends unchanged.

    UTF-8 may begin with a byte order mark. Raises CorpusError if the file cannot be opened, read or decoded, or has
    a NUL character, as binary files and wrongly decoded UTF-16 do.
    """
    decoder = _Decoder(name, encoding)
    try:
        with _opened(name) as file:
            data = b"-"
            while data:
                data = file.read(_PIECE_BYTES)
                if text := decoder.decode(data):
                    yield text
    except OSError as error:
        raise CorpusError(f"{name}: {error.strerror or one_line(error)}") from error


class _Decoder:
    """An incremental decoder that counts lines."""

    def __init__(self, name: str, encoding: str) -> None:
        codec = codecs.lookup(encoding).name
        self._decoder = codecs.getincrementaldecoder("utf-8-sig" if codec == "utf-8" else codec)()
        self._newlines = io.IncrementalNewlineDecoder(None, translate=True)
        self._name = "standard input" if name == STANDARD_INPUT else name
        self._encoding = encoding
        self._line = 1

    def decode(self, data: bytes) -> str:
        """Return the text of the next bytes; an empty ``data`` means the end of the file."""
        state = self._decoder.getstate()
        try:
            text = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            # error.object may begin with bytes of the previous piece, or lack the byte order mark.
            start = max(0, error.start - (len(error.object) - len(data)))
            self._decoder.setstate(state)
            with contextlib.suppress(UnicodeError):  # UTF-16 can refuse even the text before the error
                self._count(self._decoder.decode(data[:start]), final=True)
            raise self._undecodable(error) from error
        except UnicodeError as error:  # for example UTF-16 without a byte order mark
            raise self._error(f"{one_line(error)}; {_REMEDY.format('utf-16-le, utf-16-be')}") from error
        if "\0" in text:
            self._count(text[: text.index("\0")], final=True)
            problem = f"a NUL character: not a text file, or not in {self._encoding}"
            raise self._error(f"{problem}; {_REMEDY.format('utf-16, utf-16-le')}")
        self._count(text)
        return text

    def _count(self, text: str, *, final: bool = False) -> None:
        self._line += self._newlines.decode(text, final).count("\n")

    def _undecodable(self, error: UnicodeDecodeError) -> CorpusError:
        byte = error.object[error.start]
        if self._line == 1 and error.object.startswith(_COMPRESSED):
            return self._error("the file is compressed; unpack it first")
        # Only UTF-16 files begin with these bytes, which never occur in UTF-8.
        examples = "utf-16" if error.object.startswith((b"\xff\xfe", b"\xfe\xff")) else "euc-kr, cp1252"
        return self._error(f"byte 0x{byte:02x} is not {self._encoding}; {_REMEDY.format(examples)}")

    def _error(self, problem: str) -> CorpusError:
        return CorpusError(f"{self._name}:{self._line}: {problem}")


def _opened(name: str) -> contextlib.AbstractContextManager[BinaryIO]:
    if name == STANDARD_INPUT:
        return contextlib.nullcontext(sys.stdin.buffer)  # stays open
    return open(name, "rb")
