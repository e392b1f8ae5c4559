"""The reader ``parquet``: the values of one column of Parquet files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from genrun.errors import CorpusError, MissingExtraError, OptionError, nearest, one_line
from genrun.reading import CorpusFile, FileReader
from genrun.reading.columns import text_column
from genrun.reading.labelling import with_columns

__all__ = ["Parquet"]

_BATCH_ROWS = 8192
_LOOKED_AT = 200  # rows


@dataclass(frozen=True, slots=True)
class Parquet(FileReader):
    """One column of text of Parquet files; null and blank values are dropped as "missing".

    ``column`` may be left out: the one that most likely holds the text is taken then, and a note says which.
    ``label_columns``: columns whose values are labels of the documents. ``encoding`` means nothing: Parquet is UTF-8.
    A folder means its ``.parquet`` files. Needs pyarrow (``pip install 'genrun[parquet]'``).
    """

    suffixes = (".parquet",)
    blank = "missing"
    reads = ("a Parquet file",)

    column: str = ""
    label_columns: tuple[str, ...] = ()

    @property
    def looked_for(self) -> str:
        """What is missing if there is no document."""
        return f"values of the column {self.column!r}" if self.column else "values of the column"

    def texts(self, file: CorpusFile) -> Iterator[str]:
        """Yield the column's values, unchanged, a batch of rows in memory at a time."""
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError as error:
            raise MissingExtraError("reading Parquet files needs pyarrow", "parquet") from error
        with file.open() as opened:
            binary = (
                opened if isinstance(opened, io.BufferedReader) and opened.seekable() else io.BytesIO(opened.read())
            )
            try:
                table = parquet.ParquetFile(binary)
                column = self._column(file, table, pyarrow)
                for name in self.label_columns:
                    if name not in table.schema_arrow.names:
                        raise file.error(f"no column {name!r} for a label; {nearest(name, table.schema_arrow.names)}")
                for batch in table.iter_batches(_BATCH_ROWS, columns=list({column, *self.label_columns})):
                    values = ["" if value is None else value for value in batch.column(column).to_pylist()]
                    labels = {name: batch.column(name).to_pylist() for name in self.label_columns}
                    yield from with_columns(values, labels)
            except pyarrow.ArrowException as error:
                raise file.error(f"not a Parquet file, or a damaged one: {one_line(error)}") from error

    def _column(self, file: CorpusFile, table: Any, pyarrow: Any) -> str:
        """Return the name of the column; raises CorpusError if there is none, or it is not of text."""
        types, schema = pyarrow.types, table.schema_arrow
        text = [
            entry.name
            for entry in schema
            if types.is_string(entry.type)
            or types.is_large_string(entry.type)
            or (types.is_dictionary(entry.type) and types.is_string(entry.type.value_type))
        ]
        if not self.column and text:
            batch = next(table.iter_batches(_LOOKED_AT, columns=text), None)
            chosen = (text_column(batch.to_pydict()) if batch else None) or str(text[0])
            if len(text) > 1:
                file.report.note(f"{file.name}: the column {chosen!r} is read, of {', '.join(map(repr, text))}")
            return chosen
        if self.column in text:
            return self.column
        if self.column in schema.names:
            raise file.error(f"the column {self.column!r} is not of text; {nearest('', text)}")
        has = ", ".join(map(repr, schema.names)) or "none"
        more = f"it has {has}; name one with --set reader.column=…"
        if self.column:
            raise CorpusError(f"{file.name}: no column {self.column!r}; {more}")
        raise OptionError(f"{file.name}: the column is not named; {more}")
