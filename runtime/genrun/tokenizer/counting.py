"""Counting words exactly in bounded memory: what would exceed it is spilled, sorted, to temporary files.

The files are merged at the end, so that the result is the same as if everything had been held.
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

__all__ = ["HELD", "CountedWord", "WordCounts"]

HELD = 1 << 16  # different keys in memory, 300 bytes each or less
_FILES = 32  # that are merged at once
_LINE = 256  # entries a line of them

Key = str | tuple[str, str]  # a word as it is written, or a word and how it is written
Entry = tuple[str, str, int, int]  # of a file: word, as written, number of its first appearance, count


class CountedWord(NamedTuple):
    """A word of the corpus. Sorted, these stand as in a vocabulary: by falling count, ties by first appearance.

    ``falling`` is minus the count; ``first`` grows with the first appearance; ``written`` is how the word is mostly
    written, ``word`` itself where that is no rarer.
    """

    falling: int
    first: int
    word: str
    written: str


class WordCounts:
    """Counts words and how they are written, holding at most ``held`` different ones beyond those of a document.

    With ``lowercase`` a word that is given alone is counted in lower case, written as it is given.

    >>> with WordCounts(held=2) as counts:
    ...     for document in (["a", "b"], ["c", "a"], ["b", "a"]):
    ...         counts.add(document)
    ...     [(entry.word, -entry.falling) for entry in sorted(counts.merged())]
    [('a', 3), ('b', 2), ('c', 1)]

    The temporary files have no name where the system allows that, so that not even a kill leaves them behind.
    """

    def __init__(self, held: int = HELD, *, lowercase: bool = False) -> None:
        self._limit = held
        self._lowercase = lowercase
        self._held: Counter[Key] = Counter()
        self._numbered = 0  # keys that were spilled; those held are numbered on from there, in order of appearance
        self._files: list[IO[str]] = []

    def __enter__(self) -> WordCounts:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the temporary files; nothing can be merged any more."""
        while self._files:
            self._files.pop().close()

    def add(self, words: Iterable[Key]) -> None:
        """Count the words of one document; OSError if there is no room for a temporary file."""
        self._held.update(words)
        if len(self._held) > self._limit:
            self._spill()

    def merged(self) -> Iterator[CountedWord]:
        """Yield every different word once, in alphabetical order."""
        for word, entries in groupby(self._sorted(), itemgetter(0)):
            first, total, as_is, most, usual = sys.maxsize, 0, 0, (0, 0), word
            for _, written, number, count in entries:
                first, total = min(first, number), total + count
                if written == word:
                    as_is = count
                elif (count, -number) > most:
                    most, usual = (count, -number), written
            yield CountedWord(-total, first, word, usual if most[0] > as_is else word)

    def _sorted(self) -> Iterator[Entry]:
        """Yield all entries by word and way of writing, each once."""
        runs = heapq.merge(*map(_read, self._files), self._entries())
        for (word, written), entries in groupby(runs, itemgetter(0, 1)):
            (_, _, first, count), *others = entries
            yield word, written, first, count + sum([entry[3] for entry in others])

    def _entries(self) -> list[Entry]:
        entries: list[Entry] = []
        for number, (key, count) in enumerate(self._held.items(), self._numbered):
            word, written = (key.lower() if self._lowercase else key, key) if isinstance(key, str) else key
            entries.append((word, written, number, count))
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
    import tempfile  # here, since generating text never needs it

    try:
        with contextlib.ExitStack() as undo:
            file = undo.enter_context(tempfile.TemporaryFile("w+", encoding="ascii", prefix="genrun-words-"))
            while line := list(islice(entries, _LINE)):
                file.write(json.dumps(line) + "\n")
            file.flush()
            undo.pop_all()  # whole: it stays open
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), tempfile.gettempdir()) from error
    return file


def _read(file: IO[str]) -> Iterator[Entry]:
    file.seek(0)
    for line in file:
        yield from map(tuple, json.loads(line))
