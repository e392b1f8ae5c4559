"""The reader ``nyt-csv``: headlines from New York Times article files of the Kaggle set "nyt-comments"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from genrun.reading import CorpusFile, FileReader
from genrun_plugins.readers._tables import Table

__all__ = ["NytCsv"]

_UNKNOWN = "Unknown"  # the data set's headline for an article without one


@dataclass(frozen=True, slots=True)
class NytCsv(FileReader):
    """One column of ``…Articles….csv`` files; a folder means only these, not its comment files.

    Rows whose value is ``Unknown`` are dropped as "unknown", blank ones as "missing". ``label_columns``: columns
    whose values are labels of the headlines.

    >>> import pathlib, tempfile
    >>> from genrun.contracts import ReadReport
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "ArticlesMay2017.csv")
    ...     _ = path.write_text("byline,headline\\nA,First Light\\nB,Unknown\\n")
    ...     list(NytCsv().read([folder], ReadReport()))
    ['First Light']
    """

    suffixes = (".csv",)
    files_meant = "file with 'Articles' in its name that ends in .csv"
    blank = "missing"
    reads = ("CSV", "plain text")
    example = (
        "ArticlesMay2024.csv",
        "headline,section\nThe Council Votes,Metro\nUnknown,Metro\nThe New Ferry,Metro\n",
    )
    noun: ClassVar[str] = "headlines"

    column: str = "headline"
    label_columns: tuple[str, ...] = ()

    @property
    def looked_for(self) -> str:
        """What is missing if there is no document."""
        return f"values of the column {self.column!r} other than {_UNKNOWN!r}"

    def accepts(self, name: str) -> bool:
        """Return whether a folder means the file of this name."""
        return "Articles" in name and FileReader.accepts(self, name)

    def texts(self, file: CorpusFile) -> Iterator[str]:
        """Yield the headlines of a file, unchanged."""
        for headline in Table(file, self.column, ",", None, self.label_columns).values():
            if headline.strip() == _UNKNOWN:
                file.drop("unknown")
            else:
                yield headline
