"""Reads a column of a CSV file, and columns of labels, in chunks; shared by the readers nyt-csv and csv."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NoReturn

from genrun.errors import CorpusError, GenrunError, MissingExtraError, OptionError, nearest, one_line
from genrun.reading import CorpusFile
from genrun.reading.columns import first_rows, is_header
from genrun.reading.labelling import with_columns
from genrun_plugins.readers._stream import TextStream

if TYPE_CHECKING:
    from pandas.io.parsers import TextFileReader

__all__ = ["Table"]

_CHUNK_ROWS = 8192
_TAIL = 1 << 16  # characters at the end of a file, to see whether it was cut off
_NAMES = {"\t": "tab"}
_UNCLOSED = "a quoted value that begins in this row has no closing quote"


@dataclass(slots=True)
class Table:
    """One column of a delimited file.

    ``column``: its name or its number from 1; empty for the only one. ``header``: whether the first row has the
    names; None if that shall be found out. ``label_columns``: columns whose values are the labels of the texts.
    """

    file: CorpusFile
    column: str
    separator: str
    header: bool | None = None
    label_columns: Sequence[str] = ()
    _last: str = ""  # the end of the text that was read

    def values(self) -> Iterator[str]:
        """Yield the column's values unchanged, also blank ones.

        Raises CorpusError for an empty file, a missing column, a row with more values than the header has columns
        (its values may be shifted), and a quoted value without a closing quote. The last row of a file that is cut
        off is noted; a value that may be cut is dropped.
        """
        try:
            import pandas
        except ImportError as error:
            raise MissingExtraError("reading CSV files needs pandas", "train") from error
        stream = TextStream(self._pieces())
        first, text = self._first_row(stream)
        self.header = self._has_header(first)
        index, width = self._index(first), len(first)
        labels = {name: self._index_of_label(name, first) for name in self.label_columns}
        # With usecols, pandas ignores surplus values. A header of numbers replaces the file's own and is one column
        # wider, which makes them visible; it also avoids empty and repeated names.
        stream.put_back("" if self.header else text)
        stream.put_back(self.separator.join(f'"{number}"' for number in range(width + 1)) + "\n")
        row, waiting = 0, None
        try:
            with self._chunks(stream, {index, width, *labels.values()}) as chunks:
                for chunk in chunks:
                    if waiting is not None:
                        yield waiting
                    surplus = chunk[str(width)].tolist()
                    columns = {name: chunk[str(number)].tolist() for name, number in labels.items()}
                    values = list(with_columns(chunk[str(index)].tolist(), columns))
                    waiting = values.pop() if surplus and not surplus[-1] else None  # the last row may be cut off
                    yield from self._without_surplus(values, surplus, row, width) if any(surplus) else values
                    row += len(surplus)
        except pandas.errors.ParserError as error:
            unclosed = re.search(r"EOF inside string starting at row (\d+)", str(error))
            if waiting is not None:
                yield waiting
            if unclosed and self.file.skip_bad:
                yield from self._by_csv_module(index, row, int(unclosed[1]) - 1)
            raise self._parser_error(error, unclosed) from error
        if waiting is not None:
            yield from self._last_value(waiting, index, width)

    def _chunks(self, stream: TextStream, columns: set[int]) -> TextFileReader:
        """Return tables of some rows each, with these ``columns`` by their numbers from 0."""
        import pandas

        return pandas.read_csv(
            stream,
            sep=self.separator,
            usecols=sorted(map(str, columns)),
            index_col=False,
            dtype=str,
            keep_default_na=False,  # a headline may be "NA" or "None"
            na_filter=False,
            skip_blank_lines=False,  # blank lines are counted, and a line of spaces is a value
            chunksize=_CHUNK_ROWS,
            engine="c",
        )

    def _pieces(self) -> Iterator[str]:
        for piece in self.file.pieces():
            self._last = (self._last + piece)[-_TAIL:]
            yield piece

    def _first_row(self, stream: TextStream) -> tuple[list[str], str]:
        """Return the first row that is not blank, and the text that was read for it."""
        taken: list[str] = []
        try:
            lines = (taken.append(line) or line for line in iter(stream.readline, ""))  # type: ignore[func-returns-value]
            first = next((row for row in csv.reader(lines, delimiter=self.separator) if row), None)
        except csv.Error as error:
            raise CorpusError(f"{self.file.name}:1: the header cannot be read: {one_line(error)}") from error
        if first is None:
            wanted = f"a header with the column {self.column!r}" if self.column else "a row"
            raise CorpusError(f"{self.file.name}: the file is empty; {wanted} is needed")
        return first, "".join(taken)

    def _has_header(self, first: list[str]) -> bool:
        if self.header is not None:
            return self.header
        if self.column in first:
            return True
        guessed = is_header(first_rows(self.file.beginning(), self.separator, complete=True))
        if not self.column.isdecimal() and (self.column or len(first) > 1):
            self._refuse(first, header=guessed)
        what, other = ("names of columns", "false") if guessed else ("data", "true")
        self.file.report.note(f"{self.file.name}: the first row is read as {what} (else --set header={other})")
        return guessed

    def _index(self, first: list[str]) -> int:
        if self.header and self.column in first:
            return first.index(self.column)
        if not self.column and len(first) == 1 and not _other_separator(first):
            return 0
        if not self.column.isdecimal():
            self._refuse(first, header=bool(self.header))
        if not 1 <= int(self.column) <= len(first):
            raise self.file.error(f"no column {self.column}: the columns are numbered from 1 to {len(first)}")
        return int(self.column) - 1

    def _index_of_label(self, name: str, first: list[str]) -> int:
        if self.header and name in first:
            return first.index(name)
        if name.isdecimal() and 1 <= int(name) <= len(first):
            return int(name) - 1
        raise self.file.error(f"no column {name!r} for a label; {nearest(name, first)}")

    def _refuse(self, first: list[str], *, header: bool) -> NoReturn:
        """Raise CorpusError about a column that the table has not, or that was not named."""
        other = _other_separator(first)
        close = nearest(self.column, first) if self.column else ""
        if other is not None:
            hint = (
                f"its values seem to be separated otherwise: --set reader.separator={_NAMES.get(other, repr(other))}"
            )
        elif close.startswith("did you mean"):
            hint = close
        else:
            hint = "name one with --set reader.column=…"
        columns = ", ".join(map(repr, first))
        if header or other is not None or close.startswith("did you mean"):
            raise self._no_column(f"; it has {columns}; {hint}")
        remedy = f"give its number, 1 to {len(first)}: --set reader.column=1 --set header=false"
        raise self._no_column(f", and the first row seems to be data: {columns}; {remedy}")

    def _no_column(self, more: str) -> GenrunError:
        """Return the error for a column that the file lacks, or that is not named."""
        if self.column:
            return self.file.error(f"no column {self.column!r}{more}")
        return OptionError(str(self.file.error(f"the column is not named{more}")))

    def _last_value(self, value: str, index: int, width: int) -> Iterator[str]:
        """Yield the last value, unless the file is cut off within it."""
        *before, line = re.split(r"[\r\n]", self._last)
        whole = not before or not line or line.count('"') % 2  # an odd quote: the row began on an earlier line
        cells = [] if whole else next(csv.reader([line], delimiter=self.separator), [])
        if whole or len(cells) >= width:
            yield value
            return
        cut = index == len(cells) - 1
        if cut:
            self.file.drop("cut off")
        else:
            yield value
        how = "its value is left out" if cut else "its value is kept" if index < len(cells) else "it has no value"
        self.file.report.note(
            f"{self.file.name}: the file seems to be cut off: its last row has {len(cells)} of {width} columns; {how}"
        )

    def _without_surplus(self, values: list[str], surplus: list[str], row: int, width: int) -> Iterator[str]:
        """Yield the values of the rows after ``row``, refusing or skipping those that have more than ``width``."""
        problem = f"the row has more than the header's {width} columns"
        for number, too_many in enumerate(surplus):
            if not too_many:
                yield from values[number : number + 1]
            elif self.file.skip_bad:
                self.file.bad(f"row {row + number + 1}: {problem}")
            else:
                raise self._error(row + number + 1, problem)

    def _by_csv_module(self, index: int, begin: int, end: int) -> Iterator[str]:
        """Yield the values of the rows from ``begin`` to before ``end``, which pandas gives up with a later one."""
        if not self.file.can_repeat:
            self.file.drop("unreadable", max(end - begin, 0))
            return
        rows = csv.reader(TextStream(self.file.pieces()), delimiter=self.separator)
        if self.header:
            next((names for names in rows if names), None)
        for row in islice(rows, begin, end):
            yield row[index] if index < len(row) else ""

    def _parser_error(self, error: Exception, unclosed: re.Match[str] | None) -> CorpusError:
        if unclosed:
            return self._error(int(unclosed[1]), _UNCLOSED)
        return self.file.error(one_line(error).removeprefix("Error tokenizing data. C error: "))

    def _error(self, row: int, problem: str) -> CorpusError:
        line = self._line_of(row)
        return self.file.error(problem, line=line) if line else self.file.error(f"row {row}: {problem}")

    def _line_of(self, row: int) -> int | None:
        """Return the line on which a row (from 1, without the header) begins, by reading the file again.

        pandas counts rows, but a row can span lines. Returns None if the csv module cannot read the file (a huge
        value), or nothing can (standard input).
        """
        if not self.file.can_repeat:
            return None
        try:
            reader = csv.reader(TextStream(self.file.pieces()), delimiter=self.separator)
            if self.header:
                next((names for names in reader if names), None)
            for _ in range(row - 1):
                next(reader, None)
        except (csv.Error, CorpusError):
            return None
        return reader.line_num + 1


def _other_separator(first: list[str]) -> str | None:
    """Return the character that seems to separate the values of a row that was not split."""
    return next((mark for mark in ";\t|" if len(first) == 1 and mark in first[0]), None)
