"""How bytes become text: byte order marks, other encodings, and errors that name the line."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.contracts import Reader, ReadReport
from genrun.errors import CorpusError, OptionError
from genrun_plugins.readers._stream import TextStream
from genrun_plugins.readers.csv_column import CsvColumn
from genrun_plugins.readers.lyrics_glob import LyricsGlob
from genrun_plugins.readers.nyt_csv import NytCsv
from genrun_plugins.readers.text import Text

KOREAN = "봄이 왔다\n닭이 운다\n"


def read(reader: Reader, path: Path, data: bytes) -> list[str]:
    path.write_bytes(data)
    return list(reader.read([str(path)], ReadReport()))


def error_of(reader: Reader, path: Path, data: bytes) -> str:
    """Return the message of the CorpusError that reading ``data`` raises, after the folder's name."""
    with pytest.raises(CorpusError) as caught:
        read(reader, path, data)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{path.parent}/")


@pytest.mark.parametrize("spelling", ["utf-8", "UTF8", "utf_8", "U8", "utf-8-sig"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_utf_8_may_begin_with_a_byte_order_mark(tmp_path: Path, spelling: str, mark: str) -> None:
    assert read(Text(encoding=spelling), tmp_path / "a.txt", f"{mark}One\n\ufeffTwo".encode()) == ["One", "\ufeffTwo"]


@pytest.mark.parametrize("make", [Text, LyricsGlob, NytCsv, CsvColumn])
@pytest.mark.parametrize("encoding", ["utf-9", "", "hex", "rot13", "undefined", "a\0b", "é"])
def test_an_unknown_encoding_is_refused_at_once(make: type, encoding: str) -> None:
    options = {"encoding": encoding} | ({"column": "title"} if make is CsvColumn else {})
    with pytest.raises(OptionError, match="is not a text encoding; use one such as utf-8, euc-kr, cp1252"):
        make(**options)


def test_another_encoding_is_an_error_that_names_the_option(tmp_path: Path) -> None:
    data = b"ascii\n" * 16 + KOREAN.encode("euc-kr")
    assert error_of(Text(), tmp_path / "data.txt", data) == (
        "data.txt:17: byte 0xba is not utf-8; "
        "name the file's encoding with --set reader.encoding=… (for example euc-kr, cp1252)"
    )
    assert read(Text(encoding="euc-kr"), tmp_path / "data.txt", data)[16:] == ["봄이 왔다", "닭이 운다"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("lines_before", [0, 1, 9_999, 70_000])
def test_the_line_is_right_however_far_down(tmp_path: Path, end: str, lines_before: int) -> None:
    data = f"é{end}".encode() * lines_before + b"fine \xff\n"
    assert error_of(Text(), tmp_path / "a.txt", data).startswith(f"a.txt:{lines_before + 1}: byte 0xff")
    marked = b"\xef\xbb\xbf" + data
    assert error_of(Text(), tmp_path / "a.txt", marked).startswith(f"a.txt:{lines_before + 1}: byte 0xff")


@pytest.mark.parametrize("shift", range(4))
def test_the_line_is_right_where_pieces_meet(tmp_path: Path, shift: int) -> None:
    data = b"x" * (65_536 - 2 - shift) + b"\r\n" + "봄".encode("euc-kr") + b"\xff\n"
    message = error_of(Text(encoding="euc-kr"), tmp_path / "a.txt", data)
    assert message.startswith("a.txt:2: byte 0xff is not euc-kr")


def test_a_character_that_the_end_cuts_off_is_an_error(tmp_path: Path) -> None:
    assert error_of(Text(), tmp_path / "a.txt", b"One\n\xe2\x82").startswith("a.txt:2: byte 0xe2 is not utf-8")


def test_tables_report_undecodable_bytes_alike(tmp_path: Path) -> None:
    data = b"id,title\n" + b'1,"a\nb"\n' * 50_000 + b"2,caf\xe9\n"
    message = error_of(CsvColumn("title"), tmp_path / "a.csv", data)
    assert message.startswith("a.csv:100002: byte 0xe9 is not utf-8; name the file's encoding")
    assert read(CsvColumn("title", encoding="cp1252"), tmp_path / "a.csv", data)[-1] == "café"
    assert error_of(CsvColumn("title"), tmp_path / "a.csv", b"\xe9,title\n").startswith("a.csv:1: byte 0xe9")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le", "cp949", "shift_jisx0213", "gb18030"])
def test_wide_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    text = "title\r\n漢字\r\n" if encoding.startswith("shift") else "title\r\n봄이\r\n"
    data = (text * 20_000).encode(encoding)
    assert read(Text(encoding=encoding), tmp_path / "a.txt", data)[:2] == text.split()
    assert len(read(CsvColumn("title", encoding=encoding), tmp_path / "a.csv", data)) == 39_999


def test_utf_16_read_as_utf_8_is_recognised(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    assert "byte 0xff is not utf-8" in error_of(Text(), path, KOREAN.encode("utf-16"))
    assert "(for example utf-16)" in error_of(Text(), path, KOREAN.encode("utf-16"))
    assert error_of(Text(), path, "ab\ncd".encode("utf-16-le")).startswith("a.txt:1: a NUL character")


@pytest.mark.parametrize("data", [b"no mark at all", b"\xff\xfea", b"\xff\xfe\x00\xd8a\x00", b"\x00\xdc\x00\xdc"])
def test_utf_16_that_is_none_is_one_line(tmp_path: Path, data: bytes) -> None:
    assert error_of(Text(encoding="utf-16"), tmp_path / "a.txt", data).startswith("a.txt:1: ")
    assert error_of(CsvColumn("title", encoding="utf-16"), tmp_path / "a.csv", data).startswith("a.csv:1: ")


def test_binary_files_are_refused(tmp_path: Path) -> None:
    message = error_of(Text(), tmp_path / "a.txt", b"One\nTw\0o\n")
    assert message.startswith("a.txt:2: a NUL character: not a text file, or not in utf-8; ")
    assert error_of(CsvColumn("a"), tmp_path / "a.csv", b"a\n1\n2\0\n").startswith("a.csv:3: a NUL character")


def test_compressed_files_are_recognised(tmp_path: Path) -> None:
    for start in [b"\x1f\x8b\x08", b"\xfd7zXZ\0", b"BZh9"]:
        message = error_of(Text(), tmp_path / "a.txt", start)
        assert message == "a.txt: the compressed file ends too early: it was cut off"
    message = error_of(Text(), tmp_path / "a.txt", b"\x28\xb5\x2f\xfd\x04")
    assert message == "a.txt: the file is compressed with zstandard; unpack it first"


@given(st.text("a\r\n"), st.lists(st.integers(0, 8)), st.lists(st.integers(1, 5)))
def test_a_stream_is_the_same_wherever_its_pieces_are_cut(text: str, cuts: list[int], sizes: list[int]) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(places) if b > a]
    lines = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", text)
    assert list(TextStream(iter(pieces))) == lines
    stream = TextStream(iter(pieces))
    read = "".join(stream.read(size) for size in sizes)
    assert read + stream.read() == text
    stream.put_back("again")
    assert (stream.read(), stream.read(3), stream.readable()) == ("again", "", True)
