"""What a reader must look like, and the report that it fills in."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from genrun.checks.short_text import class_name, short_line

__all__ = ["Document", "ReadReport", "Reader"]

_MOST_CHARACTERS = 100  # of a reason
_MOST_NOTES = 10


class Document(str):
    """A text with labels, which a reader may yield in the place of a ``str``.

    ``labels``: names and values, texts both; a blank value is no label.

    >>> document = Document("The Council Votes", {"section": "Opinion", "year": " "})
    >>> document.upper(), document.labels
    ('THE COUNCIL VOTES', {'section': 'Opinion'})
    """

    __slots__ = ("labels",)
    labels: dict[str, str]

    def __new__(cls, text: str, labels: Mapping[str, str]) -> Document:
        """Make a document; raises TypeError for a label that is no text."""
        document = super().__new__(cls, text)
        document.labels = {}
        for name, value in labels.items():
            if not isinstance(name, str) or not isinstance(value, str):
                raise TypeError(f"a label and its value must be text, not {short_line(f'{name!r}: {value!r}')}")
            if value := value.strip():
                document.labels[name] = value
        return document


class ReadReport:
    """Counts what a reader met, so that nothing is dropped in silence.

    A reader calls the methods; what they have counted can only be read. A count that is not a whole number from 0, or
    a reason that is not text, is a TypeError or a ValueError.

    >>> report = ReadReport()
    >>> report.row(); report.row(); report.drop("empty")
    >>> report.rows, report.dropped
    (2, {'empty': 1})
    """

    def __init__(self) -> None:
        self._rows = 0
        self._dropped: dict[str, int] = {}
        self._files = 0
        self._notes: list[str] = []
        self._more_notes = 0

    @property
    def rows(self) -> int:
        """The records of the source: lines, CSV rows, …."""
        return self._rows

    @property
    def dropped(self) -> dict[str, int]:
        """The records that were left out, by reason; a copy."""
        return dict(self._dropped)

    @property
    def files(self) -> int:
        """The files that were opened."""
        return self._files

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know of the files: the first ten notes, and how many more there were."""
        more = (f"and {self._more_notes:,} more notes on the files",) if self._more_notes else ()
        return (*self._notes, *more)

    def file(self) -> None:
        """Count one file that was opened."""
        self._files += 1

    def row(self, count: int = 1) -> None:
        """Count ``count`` records of the source, whether kept or not."""
        self._rows += _checked(count)

    def drop(self, reason: str, count: int = 1) -> None:
        """Count ``count`` records that are left out because of ``reason`` (a word or two, lower case)."""
        if not isinstance(reason, str):
            raise TypeError(f"a reason must be text, not {class_name(reason)}")
        if count := _checked(count):
            if reason not in self._dropped:
                reason = short_line(reason, _MOST_CHARACTERS)
            self._dropped[reason] = self._dropped.get(reason, 0) + count

    def note(self, text: str) -> None:
        """Keep a line for the user ("a.csv: the last row is cut off"); the same line is kept once."""
        if (line := short_line(text)) in self._notes:
            return
        if len(self._notes) < _MOST_NOTES:
            self._notes.append(line)
        else:
            self._more_notes += 1


def _checked(count: int) -> int:
    count = operator.index(count)  # NumPy's whole numbers too
    if count < 0:
        raise ValueError(f"a count must be 0 or more, not {count}")
    return count


@runtime_checkable
class Reader(Protocol):
    """Turns sources (paths, globs) into documents. A frozen dataclass: its fields are its options.

    An attribute ``noun`` may say what its documents are ("headlines"), for messages. What was read from files is
    reused while they stay the same; ``cached = False`` says that the documents depend on something else as well.
    ``example``, since contract 2, is the name of a small file and its text, for ``genrun plugins check``.
    """

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        """Yield the documents of ``sources`` one by one, in an order that is the same every time.

        A document is a ``str``, or a :class:`Document` if it has labels.

        Must be lazy: a corpus larger than memory is normal, and it is read more than once. Raises
        :class:`~genrun.errors.CorpusError`, naming file and line, for what cannot be read, and when the
        sources hold no document at all.
        """
        ...
