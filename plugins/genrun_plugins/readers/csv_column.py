"""The reader ``csv``: the values of one column of any CSV or TSV file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from genrun.errors import OptionError
from genrun.reading import CorpusFile, FileReader
from genrun.reading.opening import bare_name
from genrun_plugins.readers._tables import Table

__all__ = ["CsvColumn"]

_TAB_NAMES = ("\\t", "tab")  # a tab is hard to type on a command line


@dataclass(frozen=True, slots=True)
class CsvColumn(FileReader):
    r"""One column of CSV files, its blank values dropped as "missing".

    ``column``: its name in the header, or its number from 1; it may be left out where there is only one. ``header``:
    whether the first row has the names. If that is left open and the column is a number, the first row decides, and a
    note says how it was read. A folder means its ``.csv`` and ``.tsv`` files. ``separator``: one ASCII character, or
    the text ``\t`` or ``tab``; if it is the default comma, files that end in ``.tsv`` are split at tabs.
    ``label_columns``: columns whose values are labels of the documents.

    >>> import pathlib, tempfile
    >>> from genrun.contracts import ReadReport
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "titles.csv")
    ...     _ = path.write_text("id;title\n1;One, two\n2;\n", encoding="utf-8")
    ...     list(CsvColumn("title", separator=";").read([str(path)], ReadReport()))
    ['One, two']
    """

    suffixes = (".csv", ".tsv")
    blank = "missing"
    reads = ("CSV", "tab-separated values", "plain text")
    example = ("texts.csv", "text\nThe sea is wide\nThe moon is low\n")

    column: str = ""
    header: bool | None = None
    separator: str = ","
    label_columns: tuple[str, ...] = ()

    def check(self) -> None:
        """Refuse a separator that cannot separate, and a column that nothing names."""
        one_character = len(self.separator) == 1 and self.separator.isascii()
        if self.separator not in _TAB_NAMES and (not one_character or self.separator in '\n\r\0"'):
            raise OptionError(f"separator must be one ASCII character or tab, not {self.separator!r}")
        if self.header is False and self.column and not self.column.isdecimal():
            raise OptionError(f"without a header, column is a number from 1, not {self.column!r}")

    @property
    def looked_for(self) -> str:
        """What is missing if there is no document."""
        return f"values of the column {self.column!r}" if self.column else "values of the column"

    def texts(self, file: CorpusFile) -> Iterator[str]:
        """Yield the column's values, unchanged."""
        is_tab = self.separator in _TAB_NAMES or (self.separator == "," and bare_name(file.name).endswith(".tsv"))
        separator = "\t" if is_tab else self.separator
        yield from Table(file, self.column, separator, self.header, self.label_columns).values()
