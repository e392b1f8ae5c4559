"""Which files the sources of a corpus mean: for readers, which get sources as a user named them."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Sequence

from genrun.errors import CorpusError

__all__ = ["STANDARD_INPUT", "expand", "named_paths"]

STANDARD_INPUT = "-"


def expand(
    sources: Sequence[str],
    accepts: Callable[[str], bool],
    looked_for: str,
    *,
    standard_input: bool = False,
) -> list[str]:
    """Return the files that ``sources`` mean, in the order of the sources, sorted within each folder or glob.

    A folder means those of its files whose name ``accepts``, hidden ones left out; ``looked_for`` describes them in
    the error of a folder that has none. ``**`` in a glob reaches any depth, ``~`` is the home folder. A file that two
    sources name is listed twice. With ``standard_input``, the source ``-`` stays as it is. Raises CorpusError for a
    source that means no file, before any file is opened.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.txt", "a.txt", "c.md"):
    ...         pathlib.Path(folder, name).touch()
    ...     files = expand([folder], lambda name: name.endswith(".txt"), "file that ends in .txt")
    >>> [os.path.basename(file) for file in files]
    ['a.txt', 'b.txt']
    """
    files: list[str] = []
    for source in sources:
        paths = named_paths(source)
        if source == STANDARD_INPUT and standard_input:
            files.append(source)
        elif paths == [os.path.expanduser(source)]:
            files += _in_folder(paths[0], accepts, looked_for) if os.path.isdir(paths[0]) else paths
        else:
            found = [path for path in paths if os.path.isfile(path)]
            if not found:
                raise CorpusError(f"no such file, folder or match: {source!r}")
            files += found
    return files


def named_paths(source: str) -> list[str]:
    """Return the files and folders that a source names: the one at this path, or the matches of a glob, sorted.

    A path that exists is no glob, so that a file called ``[draft].txt`` can be named. The list is empty for what
    names nothing on disk: standard input, a URL, a path that does not exist.
    """
    path = os.path.expanduser(source)
    if source == STANDARD_INPUT:
        return []
    if os.path.exists(path):
        return [path]
    return sorted(glob.glob(path, recursive=True)) if glob.has_magic(path) else []


def _in_folder(folder: str, accepts: Callable[[str], bool], looked_for: str) -> list[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        raise CorpusError(f"{folder}: {error.strerror}") from error
    # Hidden files are left out, as in a glob: macOS puts a binary "._x.csv" beside an x.csv on foreign disks.
    paths = [os.path.join(folder, name) for name in names if accepts(name) and not name.startswith(".")]
    files = [path for path in paths if os.path.isfile(path)]
    if not files:
        raise CorpusError(f"{folder}: the folder has no {looked_for}")
    return files
