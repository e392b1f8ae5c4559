"""The reader ``nyt-csv``: headlines from New York Times article files of the Kaggle set "nyt-comments"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from genrun.contracts import ReadReport
from genrun.sources import expand
from genrun_plugins.readers._encoding import check_encoding
from genrun_plugins.readers._sources import require_documents
from genrun_plugins.readers._tables import Table

__all__ = ["NytCsv"]

_UNKNOWN = "Unknown"  # the data set's headline for an article without one


@dataclass(frozen=True, slots=True)
class NytCsv:
    """One column of ``…Articles….csv`` files; a folder means only these, not its comment files.

    Rows whose value is ``Unknown`` are dropped as "unknown", blank ones as "missing".

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "ArticlesMay2017.csv")
    ...     _ = path.write_text("byline,headline\\nA,First Light\\nB,Unknown\\n")
    ...     list(NytCsv().read([folder], ReadReport()))
    ['First Light']
    """

    noun: ClassVar[str] = "headlines"

    column: str = "headline"
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        """Refuse an encoding that does not exist."""
        check_encoding(self.encoding)

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        """Yield the headlines of files, folders or globs, unchanged."""
        files = expand(sources, _is_articles, "file with 'Articles' in its name that ends in .csv")
        looked_for = f"values of the column {self.column!r} other than {_UNKNOWN!r}"
        yield from require_documents(self._documents(files, report), report, looked_for)

    def _documents(self, files: list[str], report: ReadReport) -> Iterator[str]:
        for name in files:
            for headline in Table(name, self.column, self.encoding, ",").documents(report):
                if headline.strip() == _UNKNOWN:
                    report.drop("unknown")
                else:
                    yield headline


def _is_articles(name: str) -> bool:
    return "Articles" in name and name.lower().endswith(".csv")
