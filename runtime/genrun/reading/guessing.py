"""Which reader suits the files that a user names, with which options, and the line that says so."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from genrun.errors import CorpusError
from genrun.reading.columns import fields_of, first_rows, guess_separator, is_header, text_column
from genrun.reading.kinds import HEAD_BYTES, TEXT, Kind, by_suffix, head_text, kind_of
from genrun.reading.opening import members, naming_errors, opened
from genrun.reading.sources import STANDARD_INPUT, SourcePart, named_paths, shown_source, split_source

__all__ = ["Guess", "guess_reader"]

_LOOKED_AT = 20  # files of a source


@dataclass(frozen=True, slots=True)
class Guess:
    """How sources are best read.

    ``reader`` and ``options``: the name of a reader and its options, as text; those of the built-in ``mix`` if the
    sources are of several kinds. ``sources``: what that reader reads: the sources as they were named, of ``mix`` each
    with its own reader before it. ``line``: what a user is told ("poems.jsonl: JSON Lines, read by the reader jsonl
    (field text)"). ``kind``: the kind of the files ("JSON Lines").
    """

    reader: str
    options: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    line: str = ""
    kind: str = "plain text"


def guess_reader(sources: Sequence[str]) -> Guess:
    """Return which reader suits ``sources``, by the names and first bytes of their first files.

    Of a folder, plain text counts if there is any, else the most frequent kind. Where nothing else is recognised, and
    for what cannot be opened, it is the reader ``text``. Nothing is raised but an OptionError for a wrong weight.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "poems.jsonl")
    ...     _ = path.write_text('{"id": 1, "text": "The sea"}')
    ...     guess = guess_reader([str(path)])
    >>> guess.reader, dict(guess.options), guess.line.removeprefix(str(path))
    ('jsonl', {'field': 'text'}, ': JSON Lines, read by the reader jsonl (field text)')
    """
    guesses = [_guess_source(source) for source in sources]
    first = guesses[0] if guesses else Guess("text")
    if all((guess.reader, guess.options) == (first.reader, first.options) for guess in guesses):
        if first.reader != "mix":
            more = f" and {len(sources) - 1:,} more" if len(sources) > 1 else ""
            line = first.line.replace(": ", f"{more}: ", 1) if more else first.line
            return Guess(first.reader, first.options, tuple(sources), line, first.kind)
    elif all(guess.reader == "text" for guess in guesses):
        return Guess("text", {}, tuple(sources), first.line)
    parts = [
        source if guess.reader == "mix" else SourcePart(guess.reader, guess.options, 1.0, source).at(source)
        for source, guess in zip(sources, guesses, strict=True)
    ]
    return Guess("mix", {}, tuple(parts), "; ".join(guess.line for guess in guesses), "files of several kinds")


def _guess_source(source: str) -> Guess:
    part = split_source(source)
    if part is not None:
        return Guess("mix", line=f"{part.path}: read by the reader {part.reader}")
    kinds: Counter[Kind] = Counter()
    first: dict[Kind, tuple[str, bytes]] = {}
    for name, head in _heads(source):
        kind = kind_of(name, head)
        kinds[kind] += 1
        first.setdefault(kind, (name, head))
    chosen = max(kinds, key=kinds.__getitem__, default=TEXT)
    if TEXT in kinds and os.path.isdir(os.path.expanduser(source)):
        chosen = TEXT
    reader = chosen.reader or "text"
    options: dict[str, str] = {}
    if chosen in first:
        reader, options = _reader_of(chosen, *first[chosen])
    chosen_options = ", ".join(f"{name} {value}" for name, value in options.items())
    how = f"{reader} ({chosen_options})" if options else reader
    line = f"{shown_source(source)}: {chosen.title}, read by the reader {how}"
    return Guess(reader, options, (source,), line, chosen.title)


def _reader_of(kind: Kind, name: str, head: bytes) -> tuple[str, dict[str, str]]:
    """Return the reader of one kind of file, and the options that its first bytes suggest."""
    if kind.reader == "csv":
        return _table(name, head)
    if kind.reader == "jsonl":
        column = text_column(fields_of(head_text(head)))
        return "jsonl", {"field": column} if column else {}
    return kind.reader or "text", {}


def _table(name: str, head: bytes) -> tuple[str, dict[str, str]]:
    text = head_text(head)
    separator = guess_separator(text)
    rows = first_rows(text, separator, complete=len(head) < HEAD_BYTES)
    if not rows:
        return "csv", {}
    options = {"separator": "tab" if separator == "\t" else separator} if separator != "," else {}
    if not is_header(rows):
        columns = {str(number + 1): _column(rows, number) for number in range(len(rows[0]))}
        chosen = text_column(columns)
        return "csv", {"column": chosen or "1", "header": "false", **options}
    if "Articles" in os.path.basename(name) and "headline" in rows[0] and separator == ",":
        return "nyt-csv", {}
    chosen = text_column({title: _column(rows[1:], number) for number, title in enumerate(rows[0]) if title})
    return "csv", {"column": chosen or rows[0][0], **options}


def _column(rows: Sequence[Sequence[str]], number: int) -> list[str]:
    return [row[number] for row in rows if number < len(row)]


def _heads(source: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and first bytes of the first files of a source, decompressed; what cannot be read is left out."""
    if source == STANDARD_INPUT:
        peek = getattr(sys.stdin.buffer, "peek", None)
        yield "-", peek(HEAD_BYTES)[:HEAD_BYTES] if peek else b""
        return
    for path in [name for found in named_paths(source) for name in _files(found)][:_LOOKED_AT]:
        try:
            for member in (members(path, lambda name: by_suffix(name) is not None) or [""])[:_LOOKED_AT]:
                with naming_errors(path), opened(path, member) as file:
                    yield member or path, file.read(HEAD_BYTES)
        except CorpusError:
            continue


def _files(path: str) -> list[str]:
    """Return a file, or those of a folder whose names tell their kind; plain text first."""
    if not os.path.isdir(path):
        return [path]
    try:
        names = sorted(name for name in os.listdir(path) if by_suffix(name) and not name.startswith("."))
    except OSError:
        return []
    return [os.path.join(path, name) for name in sorted(names, key=lambda name: by_suffix(name) is not TEXT)]
