"""Which kind a file is, by its name and its first bytes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from genrun.reading.columns import is_table
from genrun.reading.opening import bare_name

__all__ = ["HEAD_BYTES", "Kind", "binary_kind", "by_suffix", "head_text", "kind_of"]

HEAD_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file.

    ``reader``: the built-in reader for it, empty if there is none; then ``remedy`` says what helps. ``title`` is its
    name in messages, with an article where one is needed: "a Parquet file".
    """

    title: str
    reader: str = ""
    remedy: str = ""


TEXT = Kind("plain text", "text")
_JSON_LINES, _JSON, _HTML = Kind("JSON Lines", "jsonl"), Kind("JSON", "jsonl"), Kind("HTML", "html")
_MARKDOWN, _CSV, _TSV = Kind("Markdown", "markdown"), Kind("CSV", "csv"), Kind("tab-separated values", "csv")
_PARQUET = Kind("a Parquet file", "parquet")
_BY_SUFFIX = {
    ".txt": TEXT,
    ".md": _MARKDOWN,
    ".markdown": _MARKDOWN,
    ".html": _HTML,
    ".htm": _HTML,
    ".xhtml": _HTML,
    ".csv": _CSV,
    ".tsv": _TSV,
    ".jsonl": _JSON_LINES,
    ".ndjson": _JSON_LINES,
    ".json": _JSON,
    ".parquet": _PARQUET,
}
_UNPACK, _AS_TEXT = "unpack it first", "save its text as a text file first"
_BINARY = {
    b"PAR1": _PARQUET,
    b"%PDF": Kind("a PDF file", remedy=_AS_TEXT),
    b"{\\rtf": Kind("an RTF file", remedy=_AS_TEXT),
    b"\xd0\xcf\x11\xe0": Kind("an old Office file", remedy=_AS_TEXT),
    b"SQLite format 3\0": Kind("an SQLite database", remedy="export a table as CSV first"),
    b"\x28\xb5\x2f\xfd": Kind("compressed with zstandard", remedy=_UNPACK),
    b"7z\xbc\xaf\x27\x1c": Kind("a 7-Zip archive", remedy=_UNPACK),
    b"Rar!": Kind("a RAR archive", remedy=_UNPACK),
    b"PK\x03\x04": Kind("a zip archive", remedy=_UNPACK),  # within another compressed file, or on standard input
    b"ARROW1": Kind("an Arrow file", remedy="save it as Parquet first"),
    b"\x89PNG": Kind("an image", remedy=_AS_TEXT),
    b"\xff\xd8\xff": Kind("an image", remedy=_AS_TEXT),
    b"GIF8": Kind("an image", remedy=_AS_TEXT),
    b"\x7fELF": Kind("a program", remedy="name files of text"),
}
_TAR = Kind("a tar archive", remedy=_UNPACK)
_HTML_START = re.compile(r"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
_ARRAY_START = re.compile(r'\[\s*\{\s*["}]')


def binary_kind(head: bytes) -> Kind | None:
    """Return the kind of a file that is no text, by its first bytes; None for any other.

    >>> binary_kind(b"%PDF-1.7").title
    'a PDF file'
    """
    if head[257:262] == b"ustar":
        return _TAR
    return next((kind for magic, kind in _BINARY.items() if head.startswith(magic)), None)


def by_suffix(name: str) -> Kind | None:
    """Return the kind that a file's name says; None for a name that says nothing.

    >>> by_suffix("titles.CSV.gz").title, by_suffix("README")
    ('CSV', None)
    """
    name = bare_name(name)
    return next((kind for suffix, kind in _BY_SUFFIX.items() if name.endswith(suffix)), None)


def kind_of(name: str, head: bytes) -> Kind:
    """Return the kind of a file by its first bytes (decompressed, up to HEAD_BYTES) and its name.

    >>> kind_of("poems.txt", b'{"text": "One"}\\n{"text": "Two"}\\n').title
    'JSON Lines'
    """
    said = by_suffix(name)
    text = head_text(head).lstrip()
    named = said or (_CSV if is_table(text) else TEXT)
    if kind := binary_kind(head):
        return kind
    if named is not _MARKDOWN and _HTML_START.match(text):
        return _HTML
    if named in (TEXT, _CSV, _JSON) and text.startswith("{") and _is_object(text.partition("\n")[0]):
        return _JSON if named is _JSON and not text.partition("\n")[2].lstrip().startswith("{") else _JSON_LINES
    if named in (TEXT, _JSON_LINES) and _ARRAY_START.match(text):
        return _JSON
    if named is TEXT and text.startswith("<?xml"):
        return _HTML if re.search(r"<html[\s>]", text) else Kind("XML", remedy=_AS_TEXT)
    return named


def head_text(head: bytes) -> str:
    """Return the first bytes of a file as text, roughly: UTF-8, or UTF-16 with a byte order mark."""
    encoding = "utf-16" if head.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    return head.decode(encoding, "replace")


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False
