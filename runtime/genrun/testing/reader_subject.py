"""A reader that is checked, its sources, and copies of them that a check may change."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genrun.contracts import ReadReport
from genrun.reading.sources import named_paths, split_source
from genrun.testing.common_checks import fresh
from genrun.testing.outcomes import Skipped

__all__ = ["Copies", "ReaderSubject"]


@dataclass(frozen=True, slots=True)
class Copies:
    """Files that a check may change, and the sources that name them."""

    paths: tuple[Path, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReaderSubject:
    """The reader ``plugin``; ``folder`` is for the checks alone."""

    plugin: Any
    sources: tuple[str, ...]
    bad: str | None
    folder: Path

    @property
    def files(self) -> list[str]:
        """The files that the sources name; those of a folder are the ones that the reader accepts."""
        return [path for source in self.sources for path in self._files(source)]

    def read(self, reader: Any = None, sources: Sequence[str] | None = None) -> tuple[list[str], ReadReport]:
        """Return all documents of ``sources`` (default: those given), by ``reader`` (default: a new one)."""
        report = ReadReport()
        reader = fresh(self.plugin) if reader is None else reader
        return list(reader.read(self.sources if sources is None else sources, report)), report

    def copies(self, name: str, count: int) -> Copies:
        """Return ``count`` copies of the first file, in a folder ``name``; raises Skipped if no source is a file."""
        for source in self.sources:
            for file in self._files(source):
                part = split_source(source)
                paths = [self.folder / name / str(number) / Path(file).name for number in range(count)]
                for path in paths:
                    path.parent.mkdir(parents=True)
                    shutil.copyfile(file, path)
                return Copies(tuple(paths), tuple(part.at(str(path)) if part else str(path) for path in paths))
        raise Skipped("its sources are not files")

    def _files(self, source: str) -> list[str]:
        part = split_source(source)
        found = list[str]()
        for path in map(Path, named_paths(part.path if part else source)):
            accepts = getattr(self.plugin, "accepts", lambda name: True)
            inside = sorted(path.iterdir()) if path.is_dir() else []
            found += [str(each) for each in inside if each.is_file() and accepts(each.name)]
            found += [str(path)] if path.is_file() else []
        return found
