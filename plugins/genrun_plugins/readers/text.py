"""The reader ``text``: the lines, paragraphs or whole files of plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from genrun.contracts import ReadReport
from genrun.errors import OptionError
from genrun.sources import STANDARD_INPUT, expand
from genrun_plugins.readers._encoding import check_encoding, lines
from genrun_plugins.readers._records import check_documents, joined, records
from genrun_plugins.readers._sources import is_text_file, require_documents

__all__ = ["Text"]


@dataclass(frozen=True, slots=True)
class Text:
    r"""Every line is a document, unchanged; blank lines are dropped as "empty".

    ``documents``: ``lines``; ``paragraphs``, which blank lines separate; or ``files``. The line breaks within a
    document stay, as ``\n``; with ``join_lines``, those within a paragraph become spaces. A file without text is
    dropped as "empty". A folder means its ``.txt`` files. The source ``-`` is standard input, which can be read only
    once.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "names.txt")
    ...     _ = path.write_text("Ada\n\nGrace\nHopper\n")
    ...     list(Text().read([str(path)], ReadReport()))
    ...     list(Text(documents="paragraphs").read([str(path)], ReadReport()))
    ['Ada', 'Grace', 'Hopper']
    ['Ada', 'Grace\nHopper']
    """

    encoding: str = "utf-8"
    documents: str = "lines"
    join_lines: bool = False

    def __post_init__(self) -> None:
        """Refuse an encoding that does not exist, another unit, and lines to join where each is a document."""
        check_encoding(self.encoding)
        check_documents(self.documents)
        if self.join_lines and self.documents == "lines":
            raise OptionError("join_lines joins the lines of a document: with it, documents is paragraphs or files")

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        """Yield the documents of files, folders, globs or standard input, without their last line end."""
        files = expand(sources, is_text_file, "file that ends in .txt", standard_input=True)
        once = "; standard input can be read only once" if STANDARD_INPUT in files else ""
        looked_for = f"{self.documents} that are not blank{once}"
        yield from require_documents(self._documents(files, report), report, looked_for)

    def _documents(self, files: list[str], report: ReadReport) -> Iterator[str]:
        for name in files:
            report.file()
            for record in records(lines(name, self.encoding), self.documents):
                report.row()
                if record:
                    yield "\n".join(joined(record) if self.join_lines else record)
                else:
                    report.drop("empty")
