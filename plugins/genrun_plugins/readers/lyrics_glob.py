"""The reader ``lyrics-glob``: lines of verse from text files, without their section headings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from genrun.contracts import ReadReport
from genrun.sources import expand
from genrun_plugins.readers._encoding import check_encoding, lines
from genrun_plugins.readers._sources import is_text_file, require_documents

__all__ = ["LyricsGlob"]


@dataclass(frozen=True, slots=True)
class LyricsGlob:
    """Every line of every file that a glob matches, stripped of white space.

    A folder means its ``.txt`` files. Blank lines are dropped as "empty", lines that end in a colon (``Chorus:``) as
    "section heading".

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "song.txt")
    ...     _ = path.write_text("Chorus:\\n  Row, row, row your boat\\n\\n")
    ...     list(LyricsGlob().read([folder + "/*.txt"], ReadReport()))
    ['Row, row, row your boat']
    """

    noun: ClassVar[str] = "lines"

    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        """Refuse an encoding that does not exist."""
        check_encoding(self.encoding)

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        """Yield the lines of globs, files or folders."""
        files = expand(sources, is_text_file, "file that ends in .txt")
        looked_for = "lines of text that do not end in ':'"
        yield from require_documents(self._documents(files, report), report, looked_for)

    def _documents(self, files: list[str], report: ReadReport) -> Iterator[str]:
        for name in files:
            report.file()
            for line in map(str.strip, lines(name, self.encoding)):
                report.row()
                if not line:
                    report.drop("empty")
                elif line.endswith(":"):
                    report.drop("section heading")
                else:
                    yield line
