"""Reads one column of a CSV file, in chunks; shared by the readers nyt-csv and csv."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass

from genrun.contracts import ReadReport
from genrun.errors import CorpusError, MissingExtraError, nearest, one_line
from genrun_plugins.readers._encoding import pieces
from genrun_plugins.readers._stream import TextStream

__all__ = ["Table"]

_CHUNK_ROWS = 8192


_NAMES = {"\t": "tab"}


@dataclass(frozen=True, slots=True)
class Table:
    """One column of a delimited file with a header."""

    name: str
    column: str
    encoding: str
    separator: str

    def documents(self, report: ReadReport) -> Iterator[str]:
        """Yield the column's values unchanged; blank ones are dropped as "missing".

        Raises CorpusError for an empty file, a missing column, a row with more values than the header has
        columns (its values may be shifted), and a quoted value without a closing quote.
        """
        report.file()
        for value in self._values():
            report.row()
            if value.strip():
                yield value
            else:
                report.drop("missing")

    def _values(self) -> Iterator[str]:
        try:
            import pandas
        except ImportError as error:
            raise MissingExtraError("reading CSV files needs pandas", "train") from error
        stream = self._stream()
        header = self._header(stream)
        wanted, beyond = str(self._index(header)), str(len(header))
        # With usecols, pandas ignores surplus values. A header of numbers replaces the file's own and is one column
        # wider, which makes them visible; it also avoids empty and repeated names.
        stream.put_back(self.separator.join(f'"{number}"' for number in range(len(header) + 1)) + "\n")
        row = 0
        try:
            with pandas.read_csv(
                stream,
                sep=self.separator,
                usecols=[wanted, beyond],
                index_col=False,
                dtype=str,
                keep_default_na=False,  # a headline may be "NA" or "None"
                na_filter=False,
                skip_blank_lines=False,  # blank lines are counted, and a line of spaces is a value
                chunksize=_CHUNK_ROWS,
                engine="c",
            ) as chunks:
                for chunk in chunks:
                    for value, surplus in zip(chunk[wanted], chunk[beyond], strict=True):
                        row += 1
                        if surplus:
                            raise self._error(row, f"the row has more than the header's {len(header)} columns")
                        yield value
        except pandas.errors.ParserError as error:
            raise self._parser_error(error) from error

    def _stream(self) -> TextStream:
        return TextStream(pieces(self.name, self.encoding))

    def _header(self, stream: TextStream) -> list[str]:
        try:
            header = next((row for row in csv.reader(stream, delimiter=self.separator) if row), None)
        except csv.Error as error:
            raise CorpusError(f"{self.name}:1: the header cannot be read: {one_line(error)}") from error
        if header is None:
            raise CorpusError(f"{self.name}: the file is empty; a header with the column {self.column!r} is needed")
        return header

    def _index(self, header: list[str]) -> int:
        if self.column in header:
            return header.index(self.column)
        close = nearest(self.column, header)
        hint = close if close.startswith("did you mean") else "name one with --set reader.column=…"
        other = next((mark for mark in ";\t|" if len(header) == 1 and mark in header[0]), None)
        if other is not None:
            hint = (
                f"its values seem to be separated otherwise: --set reader.separator={_NAMES.get(other, repr(other))}"
            )
        columns = ", ".join(map(repr, header))
        raise CorpusError(f"{self.name}: no column {self.column!r}; it has {columns}; {hint}")

    def _parser_error(self, error: Exception) -> CorpusError:
        message = one_line(error).removeprefix("Error tokenizing data. C error: ")
        row = re.search(r"EOF inside string starting at row (\d+)", message)
        if row:
            return self._error(int(row[1]), "a quoted value that begins in this row has no closing quote")
        return CorpusError(f"{self.name}: {message}")

    def _error(self, row: int, problem: str) -> CorpusError:
        line = self._line_of(row)
        return CorpusError(f"{self.name}:{line}: {problem}" if line else f"{self.name}: row {row}: {problem}")

    def _line_of(self, row: int) -> int | None:
        """Return the line on which a row (from 1, without the header) begins, by reading the file again.

        pandas counts rows, but a row can span lines. Returns None if the csv module cannot read the file (a huge
        value).
        """
        stream = self._stream()
        try:
            reader = csv.reader(stream, delimiter=self.separator)
            next((names for names in reader if names), None)
            for _ in range(row - 1):
                next(reader, None)
        except (csv.Error, CorpusError):
            return None
        return reader.line_num + 1
