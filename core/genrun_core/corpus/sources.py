"""The files below the sources of a corpus, and a fingerprint that changes when one of them does."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from genrun.reading.sources import named_paths, split_source

__all__ = ["SourceFile", "fingerprint", "list_files"]


class SourceFile(NamedTuple):
    """A file as it is now: absolute path, size in bytes, time of the last change in nanoseconds.

    ``renewed``, the time of the last change of content, name or attributes, and ``inode`` tell files apart whose
    times were set, as copying with ``cp -p`` and unpacking an archive do.
    """

    path: str
    size: int
    changed: int
    renewed: int
    inode: int


def list_files(sources: Sequence[str]) -> list[SourceFile] | None:
    """Return all files that ``sources`` may mean, in their order; None if one is no file, folder or glob on disk.

    A folder means all files below it, whatever a reader would take of them, but for hidden ones, and for run folders,
    since a training writes there.
    """
    files: list[SourceFile] = []
    try:
        for source in sources:
            part = split_source(source)
            paths = named_paths(part.path if part else source)
            found = [_look_at(name) for path in paths for name in _below(os.path.abspath(path))]
            if not found:
                return None
            files += found
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None
    return files


def fingerprint(files: Sequence[SourceFile] | None) -> str:
    """Return BLAKE2 of paths, sizes and times of change; empty if there are no files.

    It stays the same when a corpus is moved away and back, or its permissions are changed.

    >>> fingerprint(list_files(["https://example.org/corpus.txt"]))
    ''
    """
    about = [(file.path, file.size, file.changed) for file in files or ()]
    return hashlib.blake2b(json.dumps(about).encode(), digest_size=16).hexdigest() if about else ""


def _below(path: str) -> Iterator[str]:
    if not os.path.isdir(path):
        yield path
        return
    entered: set[str] = set()
    for folder, folders, names in os.walk(path, followlinks=True):
        here = os.path.realpath(folder)
        if here in entered or "run.toml" in names:  # a circle of links, or a run folder
            folders.clear()
            continue
        entered.add(here)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (os.path.join(folder, name) for name in sorted(names) if not name.startswith("."))


def _look_at(path: str) -> SourceFile:
    about = os.stat(path) if os.path.exists(path) else os.lstat(path)  # a link to nothing is there, too
    return SourceFile(path, about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino)
