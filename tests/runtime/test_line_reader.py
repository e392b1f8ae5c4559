"""Lines from files and pipes: which they are, and how far ahead they are read."""

from __future__ import annotations

import codecs
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.cli.io import line_reader
from genrun.cli.io.line_reader import LineError, LineReader
from genrun.errors import OptionError

BOM = codecs.BOM_UTF8


def lines_of(reader: LineReader) -> list[str]:
    return [line for block in reader for line in block]


@pytest.fixture
def pipe() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The two ends of a pipe, for reading and for writing."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as source, os.fdopen(writing, "wb", buffering=0) as sink:
        yield source, sink


@given(st.lists(st.text(alphabet="aé말\r ", max_size=5), max_size=12), st.booleans(), st.integers(1, 9))
def test_lines_are_those_of_the_text_however_it_is_cut(lines: list[str], ended: bool, block: int) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(block)

    text = "\n".join(lines) + ("\n" if ended else "")
    expected = text.split("\n")
    if not expected[-1]:  # the mark alone is no line
        expected.pop()
    reader = LineReader(Slow(b"\xef\xbb\xbf" + text.encode()), "x")
    assert lines_of(reader) == [line.rstrip("\r") for line in expected]
    assert reader.place(0) == f"x, line {len(expected) + 1}"


def test_a_byte_order_mark_is_only_one_at_the_beginning() -> None:
    assert lines_of(LineReader(io.BytesIO("\ufeffa\n\ufeffb".encode()), "x")) == ["a", "\ufeffb"]


def test_a_line_that_is_not_utf_8_comes_after_those_before_it() -> None:
    blocks = iter(LineReader(io.BytesIO(b"a\nb\n\xe9\nc\n"), "some.txt"))
    assert next(blocks) == ["a", "b"]
    with pytest.raises(OptionError, match=r"^some.txt, line 3: a text must be UTF-8$"):
        next(blocks)


def test_a_line_without_an_end_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_reader, "_LONGEST_BYTES", 10**5)
    with open("/dev/zero", "rb") as endless, pytest.raises(OptionError, match=r"^zero, line 1: a text must not be"):
        next(iter(LineReader(endless, "zero")))


def test_a_line_that_is_too_long_comes_after_those_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_reader, "_LONGEST_BYTES", 10)
    monkeypatch.setattr(line_reader, "_BLOCK_BYTES", 2)
    for text in (b"a\n" + b"b" * 20, b"a\n" + b"b" * 11 + b"\n"):
        blocks = iter(LineReader(io.BytesIO(text), "some.txt"))
        assert next(blocks) == ["a"]
        with pytest.raises(LineError, match=r"^some.txt, line 2: a text must not be longer than 16 MiB$"):
            next(blocks)


def test_a_block_is_what_is_there(pipe: tuple[BinaryIO, BinaryIO]) -> None:
    source, sink = pipe
    blocks = iter(LineReader(source, "x"))
    for written, block in ((b"a\nb", ["a"]), (b"c\n", ["bc"]), (b"\r\nd\n", ["", "d"])):
        sink.write(written)
        assert next(blocks) == block
    sink.write(b"e")
    sink.close()
    assert next(blocks) == ["e"]
    assert list(blocks) == []


def test_a_place_is_that_of_a_line_of_the_last_block(pipe: tuple[BinaryIO, BinaryIO]) -> None:
    source, sink = pipe
    reader = LineReader(source, "x")
    blocks = iter(reader)
    for written, places in ((b"a\nb\n", ["x, line 1", "x, line 2"]), (b"c\n", ["x, line 3"])):
        sink.write(written)
        assert [reader.place(index) for index in range(len(next(blocks)))] == places


def test_the_lines_of_a_file_can_be_counted_and_those_of_a_pipe_cannot(
    tmp_path: Path, pipe: tuple[BinaryIO, BinaryIO]
) -> None:
    for text, lines in (
        (b"", 0),
        (b"\xef\xbb\xbf", 0),
        (b"\xef\xbb\xbf\n", 1),
        (b"a", 1),
        (b"a\n", 1),
        (b"a\n\nb", 3),
        (b"a\n" * 700_000, 700_000),
    ):
        (tmp_path / "lines.txt").write_bytes(text)
        with (tmp_path / "lines.txt").open("rb") as file:
            reader = LineReader(file, "lines.txt")
            assert reader.remaining() == lines
            assert len(lines_of(reader)) == lines
    assert LineReader(pipe[0], "x").remaining() is None
    assert LineReader(io.BytesIO(b"a\n"), "x").remaining() is None


def test_a_file_is_read_a_block_ahead(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_bytes(b"a line\n" * 100_000)
    with (tmp_path / "lines.txt").open("rb", buffering=0) as raw, io.BufferedReader(raw) as file:
        lines = 0
        for block in LineReader(file, "lines.txt"):
            assert raw.tell() <= 7 * (lines := lines + len(block)) + 2**17
    assert lines == 100_000
