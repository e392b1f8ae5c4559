"""The reader ``text``: one document per line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from genrun.contracts import ReadReport
from genrun.sources import STANDARD_INPUT, expand
from genrun_plugins.readers._encoding import check_encoding, lines
from genrun_plugins.readers._sources import is_text_file, require_documents

__all__ = ["Text"]


@dataclass(frozen=True, slots=True)
class Text:
    """Every line is a document, unchanged; blank lines are dropped as "empty".

    A folder means its ``.txt`` files. The source ``-`` is standard input, which can be read only once.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "names.txt")
    ...     _ = path.write_text("Ada\\n\\nGrace\\n")
    ...     list(Text().read([str(path)], ReadReport()))
    ['Ada', 'Grace']
    """

    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        """Refuse an encoding that does not exist."""
        check_encoding(self.encoding)

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        """Yield the lines of files, folders, globs or standard input, without their line ends."""
        files = expand(sources, is_text_file, "file that ends in .txt", standard_input=True)
        once = "; standard input can be read only once" if STANDARD_INPUT in files else ""
        looked_for = f"lines that are not blank{once}"
        yield from require_documents(self._documents(files, report), report, looked_for)

    def _documents(self, files: list[str], report: ReadReport) -> Iterator[str]:
        for name in files:
            report.file()
            for line in lines(name, self.encoding):
                report.row()
                if line.strip():
                    yield line
                else:
                    report.drop("empty")
