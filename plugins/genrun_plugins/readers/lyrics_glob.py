"""The reader ``lyrics-glob``: lines or stanzas of verse from text files, without their section headings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from genrun.reading import CorpusFile, FileReader
from genrun_plugins.readers._records import check_documents, records

__all__ = ["LyricsGlob"]

_NOUNS = {"lines": "lines", "paragraphs": "stanzas", "files": "documents"}


@dataclass(frozen=True, slots=True)
class LyricsGlob(FileReader):
    r"""Every line of every file that a glob matches, stripped of white space.

    A folder means its ``.txt`` files. Blank lines are dropped as "empty", lines that end in a colon (``Chorus:``) as
    "section heading".

    ``documents``: ``lines``; ``paragraphs``, the stanzas between blank lines or section headings; or ``files``. The
    lines of a document are separated by ``\n``, its stanzas by blank lines.

    >>> import pathlib, tempfile
    >>> from genrun.contracts import ReadReport
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "song.txt")
    ...     _ = path.write_text("Chorus:\n  Row, row, row your boat\n\n")
    ...     list(LyricsGlob().read([folder + "/*.txt"], ReadReport()))
    ['Row, row, row your boat']
    """

    looked_for = "lines of text that do not end in ':'"
    reads = ("plain text",)
    example = ("songs.txt", "The sea is wide.\nThe moon is low.\n\nA ferry waits.\n")

    documents: str = "lines"

    def check(self) -> None:
        """Refuse another unit."""
        check_documents(self.documents)

    @property
    def noun(self) -> str:
        """What the documents are called in messages."""
        return _NOUNS[self.documents]

    def texts(self, file: CorpusFile) -> Iterator[str]:
        """Yield the lines, stanzas or the whole text of a file."""
        for record in records(self._without_headings(file), self.documents):
            yield "\n".join(record)

    def _without_headings(self, file: CorpusFile) -> Iterator[str]:
        """Yield the lines of a file; a heading is a row that is dropped, and a blank line where stanzas matter."""
        for line in map(str.strip, file.prose()):
            if not line.endswith(":"):
                yield line
                continue
            file.drop("section heading")
            if self.documents != "lines":
                yield ""
