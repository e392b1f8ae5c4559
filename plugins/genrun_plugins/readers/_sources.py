"""The files that sources name, and the error if these contain no document; shared by all readers."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence

from genrun.contracts import ReadReport
from genrun.errors import CorpusError

__all__ = ["STANDARD_INPUT", "expand", "is_text_file", "require_documents"]

STANDARD_INPUT = "-"


def expand(
    sources: Sequence[str],
    accepts: Callable[[str], bool],
    looked_for: str,
    *,
    standard_input: bool = False,
) -> list[str]:
    """Return the files that ``sources`` name, in the order of the sources, sorted within each folder or glob.

    A folder means its files whose names ``accepts`` returns True for; ``looked_for`` describes these files in errors.
    ``**`` in a glob matches any depth. A file that two sources name is listed twice, as with ``cat``. Raises
    CorpusError for a source that names no file, before any file is opened.
    """
    files: list[str] = []
    for source in sources:
        if source == STANDARD_INPUT and standard_input:
            files.append(source)
            continue
        path = os.path.expanduser(source)
        if os.path.isdir(path):
            files += _in_folder(path, accepts, looked_for)
        elif source != STANDARD_INPUT and os.path.exists(path):
            # Checked before the glob, so that a file called "[draft].txt" can be named.
            files.append(path)
        else:
            files += _matches(path, source)
    return files


def is_text_file(name: str) -> bool:
    """Return whether a file is plain text, by its name.

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


def _in_folder(folder: str, accepts: Callable[[str], bool], looked_for: str) -> list[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise CorpusError(f"{folder}: {error.strerror}") from error
    # Hidden files are skipped, as in a glob: on foreign disks, macOS puts a binary "._x.csv" beside an x.csv.
    paths = [os.path.join(folder, name) for name in names if accepts(name) and not name.startswith(".")]
    files = [path for path in paths if os.path.isfile(path)]
    if not files:
        raise CorpusError(f"{folder}: the folder has no {looked_for}")
    return files


def _matches(pattern: str, source: str) -> list[str]:
    found = glob.glob(pattern, recursive=True) if glob.has_magic(pattern) else []
    files = sorted(path for path in found if os.path.isfile(path))
    if not files:
        raise CorpusError(f"no such file, folder or match: {source!r}")
    return files
