"""Which files of a folder the readers of text read, and the error when sources contain no document."""

from __future__ import annotations

from collections.abc import Iterator

from genrun.contracts import ReadReport
from genrun.errors import CorpusError

__all__ = ["is_text_file", "require_documents"]


def is_text_file(name: str) -> bool:
    """Return whether a folder's file is plain text by its name.

    >>> is_text_file("SONGS.TXT"), is_text_file("songs.csv")
    (True, False)
    """
    return name.lower().endswith(".txt")


def require_documents(documents: Iterator[str], report: ReadReport, looked_for: str) -> Iterator[str]:
    """Yield ``documents``; raise CorpusError at the end if there was none.

    >>> list(require_documents(iter(["a"]), ReadReport(), "lines"))
    ['a']
    >>> list(require_documents(iter([]), ReadReport(), "lines"))
    Traceback (most recent call last):
    genrun.errors.CorpusError: no document found (files: 0, rows: 0, dropped: none); looked for lines
    """
    found = False
    for document in documents:
        found = True
        yield document
    if not found:
        dropped = ", ".join(f"{count} {reason}" for reason, count in report.dropped.items()) or "none"
        counts = f"files: {report.files}, rows: {report.rows}, dropped: {dropped}"
        raise CorpusError(f"no document found ({counts}); looked for {looked_for}")
