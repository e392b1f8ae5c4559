"""The reader ``lyrics-glob``: lines or stanzas of verse from text files, without their section headings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from genrun.contracts import ReadReport
from genrun.sources import expand
from genrun_plugins.readers._encoding import check_encoding, lines
from genrun_plugins.readers._records import check_documents, records
from genrun_plugins.readers._sources import is_text_file, require_documents

__all__ = ["LyricsGlob"]

_NOUNS = {"lines": "lines", "paragraphs": "stanzas", "files": "documents"}


@dataclass(frozen=True, slots=True)
class LyricsGlob:
    r"""Every line of every file that a glob matches, stripped of white space.

    A folder means its ``.txt`` files. Blank lines are dropped as "empty", lines that end in a colon (``Chorus:``) as
    "section heading".

    ``documents``: ``lines``; ``paragraphs``, the stanzas between blank lines or section headings; or ``files``. The
    lines of a document are separated by ``\n``, its stanzas by blank lines.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "song.txt")
    ...     _ = path.write_text("Chorus:\n  Row, row, row your boat\n\n")
    ...     list(LyricsGlob().read([folder + "/*.txt"], ReadReport()))
    ['Row, row, row your boat']
    """

    encoding: str = "utf-8"
    documents: str = "lines"

    def __post_init__(self) -> None:
        """Refuse an encoding that does not exist, and another unit."""
        check_encoding(self.encoding)
        check_documents(self.documents)

    @property
    def noun(self) -> str:
        """What the documents are called in messages."""
        return _NOUNS[self.documents]

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        """Yield the lines, stanzas or whole texts of globs, files or folders."""
        files = expand(sources, is_text_file, "file that ends in .txt")
        looked_for = "lines of text that do not end in ':'"
        yield from require_documents(self._documents(files, report), report, looked_for)

    def _documents(self, files: list[str], report: ReadReport) -> Iterator[str]:
        for name in files:
            report.file()
            for record in records(self._without_headings(name, report), self.documents):
                report.row()
                if record:
                    yield "\n".join(record)
                else:
                    report.drop("empty")

    def _without_headings(self, name: str, report: ReadReport) -> Iterator[str]:
        """Yield the lines of a file; a heading is a row that is dropped, and a blank line where stanzas matter."""
        for line in map(str.strip, lines(name, self.encoding)):
            if not line.endswith(":"):
                yield line
                continue
            report.row()
            report.drop("section heading")
            if self.documents != "lines":
                yield ""
