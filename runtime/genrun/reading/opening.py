"""Opens files as they are or compressed: gzip, bzip2 and xz by their first bytes, and the members of zip archives."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, cast

from genrun.errors import CorpusError, one_line
from genrun.reading.sources import STANDARD_INPUT

__all__ = ["bare_name", "members", "naming_errors", "opened"]

_ZIP = b"PK\x03\x04"
_OPENERS: dict[bytes, Callable[[BinaryIO], io.BufferedIOBase]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
}
_SUFFIXES = (".gz", ".bz2", ".xz", ".zip")
_DOCUMENTS = {
    "xl/workbook.xml": "an Excel file: save its sheet as CSV",
    "word/document.xml": "a Word file: save it as plain text",
    "META-INF/container.xml": "an EPUB book: save it as plain text or HTML",
    "content.xml": "an OpenDocument file: save it as plain text or CSV",
}


def bare_name(name: str) -> str:
    """Return a file's name in lower case, without the ending of a compressed file.

    >>> bare_name("Poems.TXT.gz")
    'poems.txt'
    """
    name = name.lower()
    return next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), name)


@contextlib.contextmanager
def naming_errors(name: str) -> Iterator[None]:
    """Turn what a file, or its compression, raises while it is read into a CorpusError that names it."""
    try:
        yield
    except EOFError as error:
        raise CorpusError(f"{name}: the compressed file ends too early: it was cut off") from error
    except (zlib.error, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise CorpusError(f"{name}: the compressed file is damaged: {one_line(error)}") from error
    except (RuntimeError, NotImplementedError) as error:  # from zipfile
        raise CorpusError(f"{name}: the archive cannot be unpacked: {one_line(error)}") from error
    except OSError as error:
        raise CorpusError(f"{name}: {error.strerror or one_line(error)}") from error


@contextlib.contextmanager
def opened(path: str, member: str = "") -> Iterator[io.BufferedIOBase]:
    """Open a file, standard input, or the ``member`` of a zip archive, decompressed."""
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(_raw(path))
        if member:
            archive = stack.enter_context(zipfile.ZipFile(file))
            file = io.BufferedReader(cast(io.RawIOBase, stack.enter_context(archive.open(member))))
        start = file.peek(8)
        opener = next((opener for magic, opener in _OPENERS.items() if start.startswith(magic)), None)
        yield stack.enter_context(opener(cast(BinaryIO, file))) if opener else file


def members(path: str, accepts: Callable[[str], bool]) -> list[str] | None:
    """Return the members of a zip archive that ``accepts`` accepts, or all if it accepts none; None for another file.

    Folders and hidden members are left out. Raises CorpusError for an archive without members, a damaged one, and an
    office document, which is a zip archive too.
    """
    if path == STANDARD_INPUT:
        return None
    with naming_errors(path), open(path, "rb") as file:
        if file.read(len(_ZIP)) != _ZIP:
            return None
        with zipfile.ZipFile(file) as archive:
            names = [info.filename for info in archive.infolist() if not info.is_dir()]
    for inside, what in _DOCUMENTS.items():
        if inside in names:
            raise CorpusError(f"{path}: {what}")
    shown = [
        name for name in sorted(names) if not any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    ]
    if not shown:
        raise CorpusError(f"{path}: the archive has no file")
    return [name for name in shown if accepts(name)] or shown


@contextlib.contextmanager
def _raw(path: str) -> Iterator[io.BufferedReader[Any]]:
    if path != STANDARD_INPUT:
        with open(path, "rb") as file:
            yield file
        return
    buffered = io.BufferedReader(cast(io.RawIOBase, sys.stdin.buffer))
    try:
        yield buffered
    finally:
        buffered.detach()  # standard input stays open
