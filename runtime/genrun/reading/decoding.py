"""Decodes bytes to text without losing any: bytes that cannot be decoded raise an error with file and line."""

from __future__ import annotations

import codecs
import contextlib
import io
from collections.abc import Iterable, Iterator

from genrun.errors import CorpusError, OptionError, one_line

__all__ = ["UNDECODABLE", "Decoder", "check_encoding", "guess_encoding", "lines_of"]

UNDECODABLE = "\ufdd0"  # stands for bytes that cannot be decoded; Unicode never assigns this code point
_MARK = "genrun.undecodable"
_REMEDY = "name the file's encoding with --set reader.encoding=…"
_FEWEST_BYTES = 24  # that are no ASCII, for a guess


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


def lines_of(pieces: Iterable[str]) -> Iterator[str]:
    r"""Yield the lines of a text without their ends; only ``\n``, ``\r\n`` and ``\r`` end a line.

    ``str.splitlines`` would also split at U+2028, form feeds and the like, which may occur inside a document.

    >>> list(lines_of(["one\r", "\ntwo\n", "three"]))
    ['one', 'two', 'three']
    """
    translate = io.IncrementalNewlineDecoder(None, translate=True)
    unfinished: list[str] = []
    for piece in pieces:
        head, *rest = translate.decode(piece).split("\n")
        unfinished.append(head)
        for line in rest:
            yield "".join(unfinished)
            unfinished = [line]
    *last, after = ("".join(unfinished) + translate.decode("", final=True)).split("\n")
    yield from last
    if after:
        yield after


def guess_encoding(data: bytes) -> str | None:
    """Return the encoding that ``data`` may have; None if there is too little to go by, or no library that guesses.

    >>> guess_encoding(b"plain")
    """
    if sum(byte > 127 for byte in data) < _FEWEST_BYTES:
        return None
    try:
        from charset_normalizer import from_bytes
    except ImportError:
        return None
    names = [match.encoding for match in from_bytes(data)]
    if not names:
        return None
    # Western European text often fits its neighbours as well; cp1252 is by far the most frequent of them.
    return "cp1252" if "cp1252" in names else names[0].replace("_", "-")


class Decoder:
    """An incremental decoder that counts lines; UTF-8 may begin with a byte order mark.

    With ``marks``, UNDECODABLE stands for each run of bytes that cannot be decoded, and for each NUL.
    """

    def __init__(self, name: str, encoding: str, *, marks: bool = False) -> None:
        codec = codecs.lookup(encoding).name
        make = codecs.getincrementaldecoder("utf-8-sig" if codec == "utf-8" else codec)
        self._decoder = make(_MARK if marks else "strict")
        self._newlines = io.IncrementalNewlineDecoder(None, translate=True)
        self._name, self._encoding, self._marks = name, encoding, marks
        self._line = 1

    def decode(self, data: bytes) -> str:
        """Return the text of the next bytes; an empty ``data`` means the end of the file.

        Raises CorpusError for what cannot be decoded, and for a NUL character, as binary files and wrongly decoded
        UTF-16 have.
        """
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
            raise self._error(f"{one_line(error)}; {_REMEDY} (for example utf-16-le, utf-16-be)") from error
        if "\0" in text and self._marks:
            text = text.replace("\0", UNDECODABLE)
        if "\0" in text:
            self._count(text[: text.index("\0")], final=True)
            problem = f"a NUL character: not a text file, or not in {self._encoding}"
            raise self._error(f"{problem}; {_REMEDY} (for example utf-16, utf-16-le)")
        self._count(text)
        return text

    def _count(self, text: str, *, final: bool = False) -> None:
        self._line += self._newlines.decode(text, final).count("\n")

    def _undecodable(self, error: UnicodeDecodeError) -> CorpusError:
        byte = error.object[error.start]
        # Only UTF-16 files begin with these bytes, which never occur in UTF-8.
        if error.object.startswith((b"\xff\xfe", b"\xfe\xff")):
            remedy = f"{_REMEDY} (for example utf-16)"
        elif guess := guess_encoding(error.object[max(error.start - 4096, 0) :]):
            remedy = f"it may be {guess}: --set reader.encoding={guess}"
        else:
            remedy = f"{_REMEDY} (for example euc-kr, cp1252)"
        return self._error(f"byte 0x{byte:02x} is not {self._encoding}; {remedy}")

    def _error(self, problem: str) -> CorpusError:
        return CorpusError(f"{self._name}:{self._line}: {problem}")


def _marked(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return UNDECODABLE, error.end


codecs.register_error(_MARK, _marked)
