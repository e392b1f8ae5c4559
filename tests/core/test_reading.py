"""Readers that break their contract: one line that names the reader, whatever it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest

import genrun
from genrun.contracts import ReadReport
from genrun.tokenizer import TokenizerSettings
from genrun_core.corpus.passes import Sources, count_words
from genrun_core.corpus.reading import read_documents


class Silent(Exception):
    """Has no text."""

    def __str__(self) -> str:
        return ""


class Unspeakable(Exception):
    """Cannot say what it is."""

    def __str__(self) -> str:
        raise RuntimeError


class Stop(KeyboardInterrupt):
    """Looks like Ctrl-C."""


@dataclass(frozen=True)
class Raising:
    """A reader that yields one document, then raises."""

    error: BaseException

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        report.row()
        yield "one two"
        raise self.error


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (SystemExit(3), "reader Raising failed: SystemExit: 3"),
        (Stop("now"), "reader Raising failed: Stop: now"),
        (BaseException(), "reader Raising failed: BaseException"),
        (Silent(), "reader Raising failed: Silent"),
        (Unspeakable(), "reader Raising failed: Unspeakable"),
        (ValueError("two\nlines"), "reader Raising failed: ValueError: two lines"),
        (genrun.CorpusError("two\nlines"), "reader Raising failed: CorpusError: two lines"),
        (genrun.CorpusError(), "reader Raising failed: CorpusError"),
        (OSError(), "here: OSError"),
        (OSError(5, "Input/output\nerror", b"raw"), "here: Input/output error"),
    ],
    ids=repr,
)
def test_whatever_a_reader_raises_is_one_line(error: BaseException, message: str) -> None:
    with pytest.raises(genrun.GenrunError) as caught:
        list(read_documents(Raising(error), ["here"]))
    assert str(caught.value) == message


def test_ctrl_c_and_the_end_of_reading_are_no_mistakes_of_the_reader() -> None:
    with pytest.raises(KeyboardInterrupt):
        list(read_documents(Raising(KeyboardInterrupt()), ["here"]))
    reading = read_documents(Raising(ValueError()), ["here"])
    assert next(reading) == "one two"
    reading.close()  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Reporting:
    """A reader that does to its report what it is told."""

    change: Callable[[Any], object]

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        yield "one two"
        self.change(report)


@pytest.mark.parametrize(
    "change",
    [
        lambda report: setattr(report, "dropped", None),
        lambda report: setattr(report, "rows", -1),
        lambda report: report.drop("empty", "many"),
        lambda report: report.drop(None),
        lambda report: report.drop("empty", -1),
        lambda report: report.row(1.5),
        lambda report: report.row(Fraction(1, 2)),
    ],
)
def test_a_count_that_is_none_is_one_line(change: Callable[[Any], object]) -> None:
    with pytest.raises(
        genrun.PluginError, match=r"^reader Reporting failed: (Type|Value|Attribute)Error: "
    ) as caught:
        count_words(Sources(Reporting(change), ["here"]), TokenizerSettings())
    assert "\n" not in str(caught.value)


def test_numbers_of_other_kinds_are_numbers() -> None:
    import numpy as np

    def change(report: Any) -> None:
        report.row(np.int64(3))
        report.drop("two\nlines", np.int32(2))

    counts = count_words(Sources(Reporting(change), ["here"]), TokenizerSettings()).counts
    assert (counts.rows, type(counts.rows), counts.dropped) == (3, int, {"two lines": 2})


class Shouting(str):
    """Text that is never what it seems."""

    def encode(self, *_: object) -> bytes:
        raise ValueError


@dataclass(frozen=True)
class Yielding:
    """A reader that yields, or returns, what it is told."""

    documents: Any

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        return self.documents  # type: ignore[no-any-return]


@pytest.mark.parametrize("documents", [[b"bytes"], [None], [3], [["a"]], "one text", b"bytes", None, 3], ids=repr)
def test_what_is_no_text_is_one_line(documents: object) -> None:
    with pytest.raises(genrun.PluginError, match=r"^reader Yielding "):
        list(read_documents(Yielding(documents), ["here"]))


def test_a_kind_of_text_is_plain_text() -> None:
    (document,) = read_documents(Yielding([Shouting("one two")]), ["here"])
    assert (document, type(document)) == ("one two", str)
