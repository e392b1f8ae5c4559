"""Which column or field holds the text, and whether a table has a header: guesses by a look at the first rows."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import mean
from typing import Any

__all__ = ["SEPARATORS", "fields_of", "first_rows", "guess_separator", "is_header", "is_table", "text_column"]

SEPARATORS = ",;\t|"
_ROWS = 200
_USUAL = (
    *("text", "headline", "title", "lyrics", "lyric", "verse", "poem", "quote", "sentence", "content", "body"),
    *("message", "comment", "review", "tweet", "caption", "description", "summary", "name", "word"),
)
_NO_NAME = re.compile(r"[\d\s.,:/+%$€£-]*|https?://.*|\S+@\S+")  # numbers, dates, addresses
_LONGEST_NAME, _MOST_WORDS = 40, 4


def guess_separator(text: str) -> str:
    r"""Return the character that separates the values of a table's first line; a comma if none does.

    >>> guess_separator("id;title\n1;One, two\n")
    ';'
    """
    first = re.sub('"[^"]*"', "", next((line for line in text.splitlines() if line.strip()), ""))
    counts = Counter(character for character in first if character in SEPARATORS)
    return counts.most_common(1)[0][0] if counts else ","


def first_rows(text: str, separator: str, *, complete: bool = False) -> list[list[str]]:
    """Return the first rows of a table; the last one, which may be cut, only of a ``complete`` text.

    >>> first_rows('id,title', ",", complete=True)
    [['id', 'title']]
    """
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
            rows.append(row)
            if len(rows) > _ROWS:
                break
    except csv.Error:
        complete = True
    return [row for row in (rows if complete or len(rows) > _ROWS else rows[:-1]) if row]


def is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row has the names of columns, rather than values.

    Names are short, all different, and no numbers, dates or addresses. The only column of a table has a name if it is
    a usual one, or lower case above values that are not.

    >>> is_header([["id", "title"], ["1", "One"]]), is_header([["1", "One"], ["2", "Two"]])
    (True, False)
    """
    first = [value.strip() for value in rows[0]]
    if first and not first[0]:  # the index of a data frame has no name
        first = first[1:]
    names = [name for name in first if len(name) <= _LONGEST_NAME and len(name.split()) <= _MOST_WORDS]
    if not first or len(set(names)) < len(first) or any(_NO_NAME.fullmatch(name) for name in names):
        return False
    if any(name.lower() in _USUAL for name in names):
        return True
    values = [row[0] for row in rows[1:] if row]
    if len(rows[0]) == 1:
        return names[0].islower() and mean([value.islower() for value in values] or [1]) < 0.5
    same = [value for row in rows[1:] for name, value in zip(rows[0], row, strict=False) if name == value]
    longer = mean([len(value) for row in rows[1:] for value in row] or [99]) > mean(map(len, names))
    return not same and longer


def is_table(text: str) -> bool:
    """Return whether a text without a name is a table: equally wide rows below a header with a usual name.

    >>> is_table("id,title\\n1,One\\n2,Two\\n"), is_table("Gull, sea\\nLand, sky\\n")
    (True, False)
    """
    rows = first_rows(text, guess_separator(text), complete=False)
    if len(rows) < 2 or len(rows[0]) < 2 or len({len(row) for row in rows}) > 1:
        return False
    return any(name.strip().lower() in _USUAL for name in rows[0]) and is_header(rows)


def text_column(columns: Mapping[str, Sequence[object]]) -> str | None:
    """Return the name of the column that most likely holds the text; None if none has words.

    That is the one with a usual name (text, headline, title, …), else the one whose values have the most letters.

    >>> text_column({"id": ["1", "2"], "Titel": ["Das Meer", "Die Fähre"]})
    'Titel'
    """
    letters = {name: mean(_letters(value) for value in values) for name, values in columns.items() if values}
    wordy = {name: number for name, number in letters.items() if number >= 1}
    for usual in _USUAL:
        for name in wordy:
            if name.rpartition(".")[2].strip().lower() == usual:
                return name
    return max(wordy, key=wordy.__getitem__, default=None)


def fields_of(text: str) -> dict[str, list[object]]:
    """Return the values of each field in the first records of JSON Lines or JSON; a nested one's name has dots.

    >>> fields_of('{"id": 1, "post": {"title": "One"}}')
    {'id': [1], 'post.title': ['One']}
    """
    found: dict[str, list[object]] = {}
    for record in _records(text):
        for name, value in _leaves(record, ""):
            found.setdefault(name, []).append(value)
    return found


def _letters(value: object) -> int:
    return sum(map(str.isalpha, value)) if isinstance(value, str) and not _NO_NAME.fullmatch(value) else 0


def _records(text: str) -> Iterator[Any]:
    """Yield the first records; an unfinished last one is left out."""
    decoder, place = json.JSONDecoder(), 0
    for _ in range(_ROWS):
        place = re.compile(r"[\s,\[]*").match(text, place).end()  # type: ignore[union-attr]
        try:
            record, place = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            return
        yield record


def _leaves(value: object, name: str) -> Iterable[tuple[str, object]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for inner in value[:_ROWS]:
            yield from _leaves(inner, name)
    elif name:
        yield name, value
