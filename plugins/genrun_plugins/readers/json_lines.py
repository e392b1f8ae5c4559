"""The reader ``jsonl``: a field of each object of JSON Lines (https://jsonlines.org), or of a JSON file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from genrun.checks.short_text import shown
from genrun.reading import CorpusFile, FileReader
from genrun.reading.columns import fields_of
from genrun.reading.labelling import with_columns

__all__ = ["JsonLines"]

_MISSING = object()


@dataclass(frozen=True, slots=True)
class JsonLines(FileReader):
    """The text that each object has in ``field``; dots lead into nested objects (``post.title``), lists are followed.

    A file has an object a line, or is one JSON value as a whole: an array of objects, or an object that holds them;
    such a file is read into memory. A folder means ``.jsonl``, ``.ndjson`` and ``.json`` files. Blank lines and texts
    are dropped as "empty", objects without the field (or with null in it) as "missing". ``label_columns``: fields
    whose values are labels of the texts.

    >>> import pathlib, tempfile
    >>> from genrun.contracts import ReadReport
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "titles.jsonl")
    ...     _ = path.write_text('{"post": {"title": "First Light"}}\\n{"author": "B"}\\n')
    ...     list(JsonLines("post.title").read([folder], ReadReport()))
    ['First Light']
    """

    suffixes = (".jsonl", ".ndjson", ".json")
    reads = ("JSON Lines", "JSON", "plain text")
    example = ("texts.jsonl", '{"text": "The sea is wide."}\n{"text": ""}\n{"text": "The moon is low."}\n')
    noun: ClassVar[str] = "texts"

    field: str = "text"
    label_columns: tuple[str, ...] = ()

    @property
    def looked_for(self) -> str:
        """What is missing if there is no document."""
        return f"JSON objects with text in the field {self.field!r}"

    def texts(self, file: CorpusFile) -> Iterator[str]:
        """Yield the texts of the objects of a file."""
        lines = file.lines()
        names: list[str] = []
        found = False
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line) if line.strip() else ""
            except (ValueError, RecursionError) as error:
                if not found and line.strip() and line.strip()[0] in "[{":  # a value that goes on in the next line
                    yield from self._whole(file, "\n".join([*[""] * (number - 1), line, *lines]))
                    return
                file.bad(f"not JSON: {getattr(error, 'msg', error)}", line=number)
                continue
            found = found or record != ""
            if isinstance(record, dict) and not names:
                names = list(fields_of(line))
            yield from self._texts_of(file, record, number)
        if names and self.field not in names:
            file.report.note(
                f"{file.name}: no field {self.field!r}; the first object has {', '.join(map(repr, names))}"
            )

    def _whole(self, file: CorpusFile, text: str) -> Iterator[str]:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise file.error(
                f"not JSON: {getattr(error, 'msg', error)}", line=getattr(error, "lineno", None)
            ) from error
        yield from self._texts_of(file, value, None)

    def _texts_of(self, file: CorpusFile, record: object, line: int | None) -> Iterator[str]:
        """Yield the texts of the objects of one JSON value; what is none of them is counted."""
        if record == "":
            file.drop("empty")
            return
        if not isinstance(record, (dict, list)):
            file.bad(f"a JSON object is needed, not {shown(record)}", line=line)
            return
        values: Iterable[object] = _values(record, self.field.split("."))
        if self.label_columns:
            values = self._labelled(record, list(values))
        for value in values:
            if isinstance(value, str):
                yield value
            elif value is _MISSING or value is None:
                file.drop("missing")
            else:
                file.bad(f"the field {self.field!r} must be text, not {shown(value)}", line=line)

    def _labelled(self, record: object, values: list[object]) -> list[object]:
        """Return ``values`` with their labels: those of the same object, or the one of all."""
        labels: dict[str, list[object]] = {}
        for name in self.label_columns:
            found = [None if value is _MISSING else value for value in _values(record, name.split("."))]
            found = found * len(values) if len(found) == 1 else found
            labels[name] = found if len(found) == len(values) else [None] * len(values)
        return [
            with_columns([value], {name: column[i : i + 1] for name, column in labels.items()})[0]
            if isinstance(value, str)
            else value
            for i, value in enumerate(values)
        ]


def _values(record: Any, names: list[str]) -> Iterator[object]:
    """Yield what an object has at the end of a path of names; of a list, what each of its members has."""
    if isinstance(record, list):
        for member in record:
            yield from _values(member, names)
    elif not names:
        yield record
    elif not isinstance(record, dict):
        yield _MISSING
    elif ".".join(names) in record:  # a name with dots of its own
        yield from _values(record[".".join(names)], [])
    else:
        yield from _values(record.get(names[0], _MISSING), names[1:])
