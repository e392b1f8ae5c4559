"""Counts words exactly in bounded memory: counts that exceed it are written, sorted, to temporary files.

The files are merged at the end, so the result is the same as with unlimited memory.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from operator import itemgetter
from typing import IO, NamedTuple

__all__ = ["BEGINS", "HELD", "CountedWord", "WordCounts"]

BEGINS = " "  # before a written form: the word begins a sentence
HELD = 1 << 16  # different keys in memory, at most 300 bytes each
_FILES = 32  # merged at once
_LINE = 256  # entries in a line of a file

Key = str | tuple[str, str]  # a written form, or a word and its written form
Entry = tuple[str, str, int, int]  # in a file: word, written form, number of its first appearance, count


class CountedWord(NamedTuple):
    """A word of the corpus; these sort in the order of a vocabulary, by falling count, ties by first appearance.

    ``falling``: minus the count. ``first``: number of the first appearance. ``written``: the most frequent written
    form of the word within sentences; at their beginnings, if the word is nowhere else. ``word`` itself if no other
    form is more frequent.
    """

    falling: int
    first: int
    word: str
    written: str


class WordCounts:
    """Counts words and their written forms, with at most ``held`` different ones in memory, besides one document's.

    With ``lowercase``, a key that is one text is a written form; its word is the text in lower case. BEGINS before a
    written form, in both kinds of keys, says that the word begins a sentence.

    >>> with WordCounts(held=2) as counts:
    ...     for document in (["a", "b"], ["c", "a"], ["b", "a"]):
    ...         counts.add(document)
    ...     [(entry.word, -entry.falling) for entry in sorted(counts.merged())]
    [('a', 3), ('b', 2), ('c', 1)]

    The temporary files have no name, if the system allows that, so not even a kill leaves them behind.
    """

    def __init__(self, held: int = HELD, *, lowercase: bool = False) -> None:
        self._limit = held
        self._lowercase = lowercase
        self._held: Counter[Key] = Counter()
        self._numbered = 0  # keys written to files so far; those in memory continue their numbers
        self._files: list[IO[str]] = []

    def __enter__(self) -> WordCounts:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the temporary files; after that, :meth:`merged` cannot be called."""
        while self._files:
            self._files.pop().close()

    def add(self, words: Iterable[Key]) -> None:
        """Count the words of one document; raises OSError if there is no room for a temporary file."""
        self._held.update(words)
        if len(self._held) > self._limit:
            self._spill()

    def merged(self) -> Iterator[CountedWord]:
        """Yield every different word once, in alphabetical order."""
        for word, entries in groupby(self._sorted(), itemgetter(0)):
            first, total, most, usual = sys.maxsize, 0, (False, 0, False, 0), word
            for _, written, number, count in entries:
                total += count
                if number < first:
                    first = number
                begins = self._lowercase and written[0] == BEGINS
                form = written[1:] if begins else written
                rank = (not begins, count, form == word, -number)
                if rank > most:
                    most, usual = rank, form
            yield CountedWord(-total, first, word, usual)

    def _sorted(self) -> Iterator[Entry]:
        """Yield one entry for each word and written form, sorted."""
        if not self._files and all(isinstance(key, str) for key in self._held):  # each is held once
            yield from self._entries()
            return
        runs = heapq.merge(*map(_read, self._files), self._entries())
        for (word, written), entries in groupby(runs, itemgetter(0, 1)):
            (_, _, first, count), *others = entries
            yield word, written, first, count + sum([entry[3] for entry in others])

    def _entries(self) -> list[Entry]:
        entries: list[Entry] = []
        for number, (key, count) in enumerate(self._held.items(), self._numbered):
            if not isinstance(key, str):
                entries.append((*key, number, count))
            elif self._lowercase:
                entries.append((key.lstrip(BEGINS).lower(), key, number, count))
            else:
                entries.append((key, key, number, count))
        entries.sort()
        return entries

    def _spill(self) -> None:
        if len(self._files) < _FILES:
            self._files.append(_write(iter(self._entries())))
        else:
            together = _write(self._sorted())
            self.close()
            self._files.append(together)
        self._numbered += len(self._held)
        self._held.clear()


def _write(entries: Iterator[Entry]) -> IO[str]:
    import tempfile  # imported here, since generation never needs it

    try:
        with contextlib.ExitStack() as undo:
            file = undo.enter_context(tempfile.TemporaryFile("w+", encoding="ascii", prefix="genrun-words-"))
            while line := list(islice(entries, _LINE)):
                file.write(json.dumps(line) + "\n")
            file.flush()
            undo.pop_all()  # complete: the file stays open
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), tempfile.gettempdir()) from error
    return file


def _read(file: IO[str]) -> Iterator[Entry]:
    file.seek(0)
    for line in file:
        yield from map(tuple, json.loads(line))
