"""Whole lines and nothing else: in every write, after every way of ending, through pipes that take little."""

from __future__ import annotations

import io
import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.cli.io.line_writer import LineWriter


class Sink:
    """What was written, write by write; stands in for ``os.write``."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.takes: Callable[[bytes], int] = len

    def __call__(self, descriptor: int, data: bytes) -> int:
        taken = self.takes(data)
        self.writes.append(data[:taken])
        return taken

    @property
    def text(self) -> str:
        return b"".join(self.writes).decode()


@pytest.fixture
def stdout(monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO]:
    with open(os.devnull, "w", encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdout", file)
        yield file


@pytest.fixture
def sink(stdout: TextIO, monkeypatch: pytest.MonkeyPatch) -> Sink:
    made = Sink()
    monkeypatch.setattr(os, "write", made)
    return made


def test_every_write_is_whole_lines_and_no_more_than_a_pipe_takes_at_once(sink: Sink) -> None:
    lines = ["é" * (number % 90) for number in range(5000)]
    with LineWriter() as writer:
        for line in lines:
            writer.write(line)
    assert sink.text == "".join(f"{line}\n" for line in lines)
    assert all(data.endswith(b"\n") and len(data) <= select.PIPE_BUF for data in sink.writes)
    assert len(sink.writes) < 200


@given(st.lists(st.integers(0, 9000), max_size=20))
def test_short_writes_lose_nothing(lengths: list[int]) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)  # takes what there is room for
    received: list[bytes] = []

    def wait(reading_from: list[int], writing_to: list[int], *_: object) -> tuple[list[int], list[int], list[int]]:
        if not really(reading_from, writing_to, [], 0)[1]:
            received.append(os.read(reading, 3000))  # a real wait would be for ever: nobody else reads
        return [], writing_to, []

    before, really = sys.stdout, select.select
    with os.fdopen(writing, "w") as sys.stdout, pytest.MonkeyPatch.context() as patch:
        patch.setattr(select, "select", wait)
        with LineWriter() as writer:
            for length in lengths:
                writer.write("x" * length)
        patch.undo()
        sys.stdout = before
    while data := os.read(reading, 2**16):
        received.append(data)
    os.close(reading)
    assert b"".join(received) == b"".join(b"x" * length + b"\n" for length in lengths)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError])
def test_what_was_finished_is_written_however_the_writing_ends(sink: Sink, error: type[BaseException]) -> None:
    def interrupted() -> None:
        with LineWriter() as writer:
            writer.write("one")
            writer.write("two")
            raise error

    with pytest.raises(error):
        interrupted()
    assert sink.text == "one\ntwo\n"


@pytest.mark.parametrize("taken", [0, 3, None])
def test_a_signal_in_the_middle_of_a_write_writes_nothing_twice(sink: Sink, taken: int | None) -> None:
    def interrupted() -> None:
        with LineWriter(seconds=1000) as writer:
            writer.write("one")
            sink.takes = stop
            writer.flush()

    def stop(data: bytes) -> int:
        sink.takes = len
        if taken is not None:
            return taken  # and the rest is still to come
        sink.writes.append(data)  # it was written, but the signal came before anybody knew
        raise KeyboardInterrupt

    if taken is None:
        with pytest.raises(KeyboardInterrupt):
            interrupted()
    else:
        interrupted()
    assert sink.text == "one\n"


def test_a_reader_that_has_gone_is_written_to_once(sink: Sink) -> None:
    def gone(data: bytes) -> int:
        tried.append(data)
        raise BrokenPipeError

    tried: list[bytes] = []
    sink.takes = gone
    writer = LineWriter(seconds=1000)
    writer.write("one")
    with pytest.raises(BrokenPipeError), writer:
        writer.flush()
    assert tried == [b"one\n"]


def test_lines_are_not_held_for_long(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    with LineWriter(seconds=0.2) as writer:
        for number, now in enumerate([0.1, 0.15, 0.21, 0.3, 0.42]):  # noqa: B007 - the clock
            writer.write(str(number))
    assert sink.writes == [b"0\n1\n2\n", b"3\n4\n"]


def test_on_a_terminal_lines_are_not_held_at_all(sink: Sink, stdout: TextIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal(stdout))
    with LineWriter() as writer:
        for number, following in pairwise(range(4)):
            writer.write(str(number))
            assert len(sink.writes) == following


class Terminal:
    """A text file that takes itself for a terminal."""

    encoding, errors = "utf-8", "strict"

    def __init__(self, file: TextIO) -> None:
        self.fileno, self.flush = file.fileno, file.flush

    def isatty(self) -> bool:
        return True


def test_a_stand_in_for_standard_output_gets_the_lines_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", stand_in)
    with LineWriter() as writer:
        writer.write("말")
        writer.write("")
    assert stand_in.buffer.getvalue() == "말\n\n".encode()


def test_a_text_that_the_encoding_lacks_comes_after_those_before_it(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(os.devnull, "w", encoding="ascii") as file:
        monkeypatch.setattr(sys, "stdout", file)
        writer = LineWriter(seconds=1000)
        writer.write("one")
        with pytest.raises(UnicodeEncodeError), writer:
            writer.write("é")
    assert sink.text == "one\n"
