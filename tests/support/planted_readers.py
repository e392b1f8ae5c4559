"""Readers with one mistake each, and the words of the message that names it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from genrun.plugins import CorpusError, ReadReport

__all__ = ["MISTAKES", "Honest", "OldAndWithoutCounts"]


@dataclass(frozen=True)
class Honest:
    """Reads the lines of files as it should; the others differ from it in one thing."""

    contract: ClassVar[int] = 2

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        found = False
        for source in sources:
            for line in self.lines(source, report):
                report.row()
                if line.strip():
                    found = True
                    yield line
                else:
                    report.drop("empty")
        if not found:
            raise CorpusError(f"{', '.join(sources)}: no line")

    def lines(self, source: str, report: ReadReport) -> list[str]:
        report.file()
        try:
            text = Path(source).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CorpusError(f"{source}: {type(error).__name__}") from error
        if "\0" in text:
            raise CorpusError(f"{source}:{text[: text.index(chr(0))].count(chr(10)) + 1}: a NUL")
        return text.splitlines()


class ReadsEverythingFirst(Honest):
    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        yield from list(super().read(sources, report))


class ReturnsAList(Honest):
    def read(self, sources: Sequence[str], report: ReadReport) -> Any:
        return list(super().read(sources, report))


class OrderByChance(Honest):
    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        found = list(super().read(sources, report))
        random.Random().shuffle(found)
        yield from found


class GlobalShuffle(Honest):
    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        random.random()
        yield from super().read(sources, report)


class OrderOfASet(Honest):
    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        yield from set(super().read(sources, report))


class CountsLie(Honest):
    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        report.row(2)
        yield from super().read(sources, report)


class CountsNothing(Honest):
    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        yield from super().read(sources, ReadReport())


class OldAndWithoutCounts(CountsNothing):
    """No mistake: its contract is older than counts."""

    contract: ClassVar[int] = 1


class DropsInSilence(Honest):
    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        yield from list(super().read(sources, report))[1:]


class HidesFiles(Honest):
    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        counted = ReadReport()
        for line in super().read(sources, counted):
            report.row()
            yield line


@dataclass(frozen=True)
class EmptyTheSecondTime(Honest):
    done: list[str] = field(default_factory=list, init=False, repr=False, compare=False)

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        for line in Honest.read(self, sources, report):
            if line not in self.done:
                self.done.append(line)
                yield line


@dataclass(frozen=True)
class OneAtATime(Honest):
    place: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        self.place["line"] = 0
        lines = list(Honest.read(self, sources, report))
        while self.place["line"] < len(lines):
            self.place["line"] += 1
            yield lines[self.place["line"] - 1]


class YieldsBytes(Honest):
    def read(self, sources: Sequence[str], report: ReadReport) -> Any:
        for line in super().read(sources, report):
            yield line.encode()


class LoneSurrogate(Honest):
    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        for line in super().read(sources, report):
            yield line + "\ud800"


class NothingInSilence(Honest):
    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        for source in sources:
            for line in self.lines(source, report):
                report.row()
                yield line or "-"


class PlainErrors(Honest):
    def lines(self, source: str, report: ReadReport) -> list[str]:
        report.file()
        return Path(source).read_text("utf-8").splitlines()


class ErrorsWithoutFile(Honest):
    def lines(self, source: str, report: ReadReport) -> list[str]:
        try:
            return super().lines(source, report)
        except CorpusError:
            raise CorpusError("a file cannot be read") from None


class ErrorsOfTwoLines(Honest):
    def lines(self, source: str, report: ReadReport) -> list[str]:
        try:
            return super().lines(source, report)
        except CorpusError as error:
            raise CorpusError(f"{error}\nsecond line") from None


class ErrorsWithoutLine(Honest):
    def lines(self, source: str, report: ReadReport) -> list[str]:
        try:
            return super().lines(source, report)
        except CorpusError:
            raise CorpusError(f"{source} is wrong") from None


class Prints(Honest):
    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        print("reading")
        yield from super().read(sources, report)


@dataclass
class NotFrozen:
    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        yield "one"


MISTAKES: list[tuple[object, str]] = [
    (ReadsEverythingFirst(), "it reads everything first"),
    (ReturnsAList(), r"read\(\) returns list; it must be a generator"),
    (OrderByChance(), r"a second pass yields other documents \(in another order\)"),
    (GlobalShuffle(), "uses global randomness"),
    (OrderOfASet(), "another process reads other documents, or another order, such as that of a set"),
    (CountsLie(), "its counts do not add up: 25 rows, but 23 documents and 0 dropped"),
    (CountsNothing(), "its counts do not add up: 0 rows, but 23 documents and 0 dropped"),
    (DropsInSilence(), "its counts do not add up: 23 rows, but 22 documents and 0 dropped"),
    (HidesFiles(), "it counts 0 of 1 files"),
    (EmptyTheSecondTime(), r"a second pass yields other documents \(23, then 0\)"),
    (OneAtATime(), "of two passes at once, pass . yields other documents"),
    (YieldsBytes(), "document 1 is bytes; a document is a str or a genrun.Document"),
    (LoneSurrogate(), "document 1 has a lone surrogate"),
    (NothingInSilence(), "a file that is empty gives no documents and no CorpusError"),
    (PlainErrors(), "a file that is missing raises FileNotFoundError.*; it must be a CorpusError"),
    (ErrorsWithoutFile(), "its error for a file that is missing does not name the file: a file cannot be read"),
    (ErrorsOfTwoLines(), "its error for a file that is missing is more than one line"),
    (ErrorsWithoutLine(), "its error for a file that is bad does not name file and line, bad.txt:LINE"),
    (Prints(), "it prints 'reading.*', which would be among the texts"),
    (NotFrozen(), "must be a frozen dataclass"),
]
