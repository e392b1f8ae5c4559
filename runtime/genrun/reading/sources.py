"""Which files the sources of a corpus mean: for readers, which get sources as a user named them."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from genrun.errors import CorpusError, OptionError

__all__ = [
    "KEPT_STANDARD_INPUT",
    "STANDARD_INPUT",
    "SourcePart",
    "expand",
    "named_paths",
    "shown_source",
    "split_source",
]

STANDARD_INPUT = "-"
KEPT_STANDARD_INPUT = "standard-input.txt"  # its copy in a run folder
_OPTION = r",[a-z_]+=(?:[^,\\]|\\.)*"
_PART = re.compile(rf"([a-z0-9-]+(?::[a-z0-9-]+)?)((?:{_OPTION})*)::(.+)", re.DOTALL)


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


class SourcePart(NamedTuple):
    """A source with its own reader: ``reader,option=value,weight=2::path``."""

    reader: str
    options: Mapping[str, str]
    weight: float
    path: str

    def at(self, path: str) -> str:
        """Return the source with another path."""
        options = "".join(f",{name}={_escaped(value)}" for name, value in self.options.items())
        weight = "" if self.weight == 1 else f",weight={self.weight:g}"
        return f"{self.reader}{options}{weight}::{path}"


def split_source(source: str) -> SourcePart | None:
    """Return the parts of a source that names its reader; None for any other, and for a path that exists.

    A comma or backslash in a value has a backslash before it. ``weight`` is 1 if it is left out. Raises OptionError
    for a weight that is not above 0.

    >>> split_source("csv,column=title,weight=2::news.csv")
    SourcePart(reader='csv', options={'column': 'title'}, weight=2.0, path='news.csv')
    >>> split_source("news.csv")
    """
    found = _PART.fullmatch(source)
    if found is None or os.path.exists(source):
        return None
    options: dict[str, str] = {}
    for assignment in re.findall(_OPTION, found[2]):
        name, _, value = assignment[1:].partition("=")
        options[name] = re.sub(r"\\(.)", r"\1", value, flags=re.DOTALL)
    given = options.pop("weight", "1")
    try:
        weight = float(given)
    except ValueError:
        weight = 0.0
    if not 0 < weight <= 1_000:
        raise OptionError(f"{source!r}: weight must be above 0 and up to 1000, not {given!r}")
    return SourcePart(found[1], options, weight, found[3])


def shown_source(source: str) -> str:
    """Return what messages call a source; standard input also where it is a run folder's copy of it.

    >>> shown_source("-"), shown_source("a.txt")
    ('standard input', 'a.txt')
    """
    folder, name = os.path.split(source)
    kept = name == KEPT_STANDARD_INPUT and os.path.isfile(os.path.join(folder, "run.toml"))
    return "standard input" if kept or source == STANDARD_INPUT else source


def _escaped(value: str) -> str:
    return re.sub(r"([,\\])", r"\\\1", value)
