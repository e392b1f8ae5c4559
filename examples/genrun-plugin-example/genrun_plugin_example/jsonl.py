"""The reader ``jsonl``: one document per line of JSON Lines (https://jsonlines.org)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from genrun import CorpusError, OptionError, ReadReport
from genrun.sources import expand

__all__ = ["JsonLines"]


@dataclass(frozen=True, slots=True)
class JsonLines:
    """The text that each line's object has in ``field``.

    A folder means its ``.jsonl`` files. Blank lines and blank texts are dropped as "empty", objects without the field
    (or with null in it) as "missing". ``encoding``: one that extends ASCII, so that a line can be told from the next.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "titles.jsonl")
    ...     _ = path.write_text('{"text": "First Light"}\\n{"author": "B"}\\n')
    ...     list(JsonLines().read([folder], ReadReport()))
    ['First Light']
    """

    noun: ClassVar[str] = "texts"  # what messages call the documents

    field: str = "text"
    encoding: str = "utf-8"

    def __post_init__(self) -> None:
        """Refuse an encoding that does not exist, or that has line ends of its own (UTF-16)."""
        try:
            usable = "{}\n".encode(self.encoding) == b"{}\n"
        except (LookupError, ValueError):
            usable = False
        if not usable:
            raise OptionError(f"encoding must be one that extends ASCII (utf-8, cp1252, …), not {self.encoding!r}")

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        """Yield the texts of files, folders or globs, one line in memory at a time.

        Raises CorpusError, with file and line, for a line that is not a JSON object or whose field is not text, and
        when there was no document at all.
        """
        found = False
        for path in expand(sources, _is_jsonl, "file that ends in .jsonl"):
            report.file()
            for document in self._documents(path, report):
                found = True
                yield document
        if not found:
            dropped = ", ".join(f"{count} {reason}" for reason, count in report.dropped.items()) or "none"
            raise CorpusError(
                f"no document found in {' '.join(sources)} (rows: {report.rows}, dropped: {dropped}); "
                f"looked for JSON objects, one a line, with text in the field {self.field!r}"
            )

    def _documents(self, path: str, report: ReadReport) -> Iterator[str]:
        try:
            with open(path, "rb") as file:  # as bytes, so that an error in decoding has a line too
                for number, line in enumerate(file, 1):
                    report.row()
                    text, reason = self._text(line, f"{path}:{number}")
                    if text is None:
                        report.drop(reason)
                    else:
                        yield text
        except OSError as error:
            raise CorpusError(f"{path}: {error.strerror or error}") from error

    def _text(self, line: bytes, where: str) -> tuple[str | None, str]:
        """Return the line's document; or None and the reason to drop the line."""
        try:
            decoded = line.decode(self.encoding).removeprefix("\ufeff")  # a file may begin with a byte order mark
            record = json.loads(decoded) if decoded.strip() else ""
        except UnicodeDecodeError as error:
            byte = error.object[error.start]
            raise CorpusError(
                f"{where}: byte 0x{byte:02x} is not {self.encoding}; name the encoding with --set encoding=…"
            ) from error
        except (ValueError, RecursionError) as error:
            raise CorpusError(f"{where}: not JSON: {getattr(error, 'msg', error)}") from error
        if record == "":
            return None, "empty"
        if not isinstance(record, dict):
            raise CorpusError(f"{where}: a JSON object is needed, not {decoded.strip()[:40]}")
        text = record.get(self.field)
        if text is None:
            return None, "missing"
        if not isinstance(text, str):
            raise CorpusError(f"{where}: the field {self.field!r} must be text, not {text!r}")
        return (text, "") if text.strip() else (None, "empty")


def _is_jsonl(name: str) -> bool:
    return name.endswith(".jsonl")
