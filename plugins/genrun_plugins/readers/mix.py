"""The reader ``mix``: sources that each have their own reader, and a weight."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from genrun import registry
from genrun.contracts import Reader, ReadReport
from genrun.errors import CorpusError, OptionError, one_line
from genrun.reading import guess_reader
from genrun.reading.sources import split_source

__all__ = ["Mix"]

_RANGE = 2**64


@dataclass(frozen=True, slots=True)
class Mix:
    r"""The documents of sources that name their readers: ``csv,column=title,weight=2::news.csv``.

    Before ``::`` stand a reader, its options, and ``weight``: how often each document is read, 1 if it is left out. A
    weight of 2.5 reads each document twice and half of them a third time; 0.5 reads half of them; a hash of the
    document decides which. A copy counts as a row. A source without ``::`` is read as its kind needs.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.txt")
    ...     _ = path.write_text("One\nTwo\n")
    ...     list(Mix().read([f"text,drop_pattern=Two,weight=2::{path}", str(path)], ReadReport()))
    ['One', 'One', 'One', 'Two']
    """

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        """Yield the documents of one source after the other."""
        parts = [self._part(source) for source in sources]  # a wrong option is an error before anything is read
        for source, (reader, path, weight) in zip(sources, parts, strict=True):
            if weight != 1:
                report.note(f"{source}: each document is read {weight:g} times")
            yield from _weighted(reader.read([path], report), weight, report)

    def _part(self, source: str) -> tuple[Reader, str, float]:
        part = split_source(source)
        if part is None:
            guess = guess_reader([source])
            return registry.make_reader(guess.reader, guess.options), source, 1.0
        try:
            return registry.make_reader(part.reader, part.options), part.path, part.weight
        except OptionError as error:
            raise CorpusError(f"{source}: {one_line(error)}") from error


def _weighted(documents: Iterator[str], weight: float, report: ReadReport) -> Iterator[str]:
    """Yield each document as often as ``weight`` says; the reader has counted it once."""
    whole = int(weight)
    threshold = int((weight - whole) * _RANGE)
    for document in documents:
        digest = hashlib.blake2b(document.encode("utf-8", "surrogatepass"), digest_size=8, person=b"weight").digest()
        times = whole + (int.from_bytes(digest, "little") < threshold)
        if not times:
            report.drop("left out by weight")
        else:
            report.row(times - 1)
        for _ in range(times):
            yield document
