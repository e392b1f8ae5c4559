"""The reader ``text``: the lines, paragraphs or whole files of plain text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from genrun.errors import OptionError
from genrun.reading import CorpusFile, FileReader
from genrun_plugins.readers._records import check_documents, joined, records

__all__ = ["Text"]


@dataclass(frozen=True, slots=True)
class Text(FileReader):
    r"""Every line is a document, unchanged; blank lines are dropped as "empty".

    ``documents``: ``lines``; ``paragraphs``, which blank lines separate; or ``files``. The line breaks within a
    document stay, as ``\n``; with ``join_lines``, those within a paragraph become spaces. A file without text is
    dropped as "empty". A folder means its ``.txt`` files.

    >>> import pathlib, tempfile
    >>> from genrun.contracts import ReadReport
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "names.txt")
    ...     _ = path.write_text("Ada\n\nGrace\nHopper\n")
    ...     list(Text().read([str(path)], ReadReport()))
    ...     list(Text(documents="paragraphs").read([str(path)], ReadReport()))
    ['Ada', 'Grace', 'Hopper']
    ['Ada', 'Grace\nHopper']
    """

    reads = ("plain text",)
    example = ("songs.txt", "The sea is wide.\nThe moon is low.\n\nA ferry waits.\n")

    documents: str = "lines"
    join_lines: bool = False

    def check(self) -> None:
        """Refuse another unit, and lines to join where each is a document."""
        check_documents(self.documents)
        if self.join_lines and self.documents == "lines":
            raise OptionError("join_lines joins the lines of a document: with it, documents is paragraphs or files")

    @property
    def looked_for(self) -> str:
        """What is missing if there is no document."""
        return f"{self.documents} that are not blank"

    def texts(self, file: CorpusFile) -> Iterator[str]:
        """Yield the lines, paragraphs or the whole text of a file, without their last line end."""
        for record in records(file.prose(), self.documents):
            yield "\n".join(joined(record) if self.join_lines else record)
