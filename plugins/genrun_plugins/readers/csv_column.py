"""The reader ``csv``: the values of one column of any CSV or TSV file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from genrun.contracts import ReadReport
from genrun.errors import OptionError
from genrun.sources import expand
from genrun_plugins.readers._encoding import check_encoding
from genrun_plugins.readers._sources import require_documents
from genrun_plugins.readers._tables import Table

__all__ = ["CsvColumn"]

_TAB_NAMES = ("\\t", "tab")  # a tab is hard to type on a command line


@dataclass(frozen=True, slots=True)
class CsvColumn:
    r"""One column of CSV files, its blank values dropped as "missing".

    A folder means its ``.csv`` and ``.tsv`` files. ``separator``: one ASCII character, or the text ``\t`` or ``tab``;
    if it is the default comma, files that end in ``.tsv`` are split at tabs.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "titles.csv")
    ...     _ = path.write_text("id;title\n1;One, two\n2;\n", encoding="utf-8")
    ...     list(CsvColumn("title", separator=";").read([str(path)], ReadReport()))
    ['One, two']
    """

    column: str
    encoding: str = "utf-8"
    separator: str = ","

    def __post_init__(self) -> None:
        """Refuse an encoding that does not exist, and a separator that cannot separate."""
        check_encoding(self.encoding)
        one_character = len(self.separator) == 1 and self.separator.isascii()
        if self.separator not in _TAB_NAMES and (not one_character or self.separator in '\n\r\0"'):
            raise OptionError(f"separator must be one ASCII character or tab, not {self.separator!r}")

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        """Yield the column's values from files, folders or globs, unchanged."""
        files = expand(sources, _is_table, "file that ends in .csv or .tsv")
        documents = (document for name in files for document in self._table(name).documents(report))
        yield from require_documents(documents, report, f"values of the column {self.column!r}")

    def _table(self, name: str) -> Table:
        is_tab = self.separator in _TAB_NAMES or (self.separator == "," and name.lower().endswith(".tsv"))
        return Table(name, self.column, self.encoding, "\t" if is_tab else self.separator)


def _is_table(name: str) -> bool:
    return name.lower().endswith((".csv", ".tsv"))
