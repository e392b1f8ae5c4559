"""The readers text and lyrics-glob: lines, and which of them are dropped."""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrun.contracts import Reader, ReadReport
from genrun.errors import CorpusError
from genrun_plugins.readers.lyrics_glob import LyricsGlob
from genrun_plugins.readers.text import Text


def read(reader: Reader, *sources: object) -> tuple[list[str], ReadReport]:
    report = ReadReport()
    return list(reader.read([str(source) for source in sources], report)), report


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def give_standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))


def test_text_yields_lines_as_they_stand(tmp_path: Path) -> None:
    documents, report = read(Text(), write(tmp_path / "a.txt", "  One \n\n \t\nTwo:\nlast"))
    assert documents == ["  One ", "Two:", "last"]
    assert (report.files, report.rows, report.dropped) == (1, 5, {"empty": 2})


def test_lyrics_drops_blank_lines_and_headings(tmp_path: Path) -> None:
    song = "[Verse 1]:\n  Row, row, row your boat \n\nChorus: \nMerrily: merrily\n \n"
    documents, report = read(LyricsGlob(), write(tmp_path / "a.txt", song))
    assert documents == ["Row, row, row your boat", "Merrily: merrily"]
    assert (report.files, report.rows, report.dropped) == (1, 6, {"section heading": 2, "empty": 2})


def test_lyrics_takes_globs_and_folders(tmp_path: Path) -> None:
    write(tmp_path / "b.txt", "B")
    write(tmp_path / "a.txt", "A")
    write(tmp_path / "c.md", "C")
    assert read(LyricsGlob(), tmp_path / "*")[0] == ["A", "B", "C"]
    assert read(LyricsGlob(), tmp_path)[0] == read(Text(), tmp_path)[0] == ["A", "B"]


def test_only_three_line_ends_end_a_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "one\ntwo\r\nthree\rfour\x0b4\x0c4\x1c4\x85" + "4\u20284\u20294")
    assert read(Text(), path)[0] == ["one", "two", "three", "four\x0b4\x0c4\x1c4\x85" + "4\u20284\u20294"]


def test_lines_longer_than_a_piece_and_ends_across_pieces(tmp_path: Path) -> None:
    long = "é" * 100_000
    edge = "x" * (65_536 - 1)  # the "\r" is the last byte of the first piece
    assert read(Text(), write(tmp_path / "a.txt", f"{edge}\r\n{long}\r\n{long}"))[0] == [edge, long, long]


def test_nothing_but_blank_lines_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"files: 1, rows: 2, dropped: 2 empty\); looked for lines that"):
        read(Text(), write(tmp_path / "a.txt", "\n \n"))
    with pytest.raises(CorpusError, match="dropped: 1 section heading, 1 empty"):
        read(LyricsGlob(), write(tmp_path / "a.txt", "Chorus:\n\n"))


@pytest.mark.parametrize("reader", [Text(), LyricsGlob()])
def test_the_second_file_waits_for_the_first(tmp_path: Path, reader: Reader) -> None:
    write(tmp_path / "a.txt", "One\nTwo\n")
    (tmp_path / "b.txt").write_bytes(b"\xff\n")
    report = ReadReport()
    documents = reader.read([str(tmp_path)], report)
    assert list(itertools.islice(documents, 2)) == ["One", "Two"]
    assert report.files == 1
    with pytest.raises(CorpusError, match=r"b\.txt:1: "):
        next(documents)


@pytest.mark.parametrize("reader", [Text(), LyricsGlob()])
def test_reading_twice_gives_the_same(tmp_path: Path, reader: Reader) -> None:
    for name in "cab":
        write(tmp_path / f"{name}.txt", f"{name}1\n\n{name}2\n")
    assert read(reader, tmp_path)[0] == read(reader, tmp_path)[0] == ["a1", "a2", "b1", "b2", "c1", "c2"]


def test_standard_input_is_read_as_utf_8(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    give_standard_input(monkeypatch, "\ufeffOne\r\n\r\nZwölf".encode())
    documents, report = read(Text(), "-", write(tmp_path / "a.txt", "file"))
    assert documents == ["One", "Zwölf", "file"]
    assert (report.files, report.rows) == (2, 4)


def test_standard_input_gives_its_text_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    give_standard_input(monkeypatch, b"One\n")
    assert read(Text(), "-")[0] == ["One"]
    with pytest.raises(CorpusError, match="standard input can be read only once"):
        read(Text(), "-")


def test_errors_in_standard_input_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    give_standard_input(monkeypatch, b"One\n\xe9\n")
    with pytest.raises(CorpusError, match=r"^standard input:2: byte 0xe9 is not utf-8; "):
        read(Text(), "-")


def test_every_reader_of_files_takes_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    give_standard_input(monkeypatch, b"Chorus:\n One \n")
    assert read(LyricsGlob(), "-")[0] == ["One"]


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n\ufeff"))))
def test_lines_that_were_written_come_back(tmp_path_factory: pytest.TempPathFactory, written: list[str]) -> None:
    path = write(tmp_path_factory.mktemp("text") / "a.txt", "".join(line + "\n" for line in written))
    expected = [line for line in written if line.strip()]
    report = ReadReport()
    documents: list[str] = []
    try:
        documents += Text().read([str(path)], report)
    except CorpusError:
        assert not expected
    assert documents == expected
    assert (report.rows, report.dropped.get("empty", 0)) == (len(written), len(written) - len(expected))
