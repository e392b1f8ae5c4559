"""Documents longer than a line: paragraphs, stanzas, whole files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrun.contracts import Reader, ReadReport
from genrun.errors import CorpusError, OptionError
from genrun_plugins.readers.lyrics_glob import LyricsGlob
from genrun_plugins.readers.text import Text

TWO = "\n\nThe sea\n  and the sky.  \n \n\nThe land.\n\n"
SONG = "Verse:\n Row, row \nyour boat\n\nMerrily\nChorus:\nLife is\n\n"


def read(reader: Reader, *sources: object) -> tuple[list[str], ReadReport]:
    report = ReadReport()
    return list(reader.read([str(source) for source in sources], report)), report


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize(
    ("reader", "expected"),
    [
        (Text(documents="paragraphs"), ["The sea\n  and the sky.  ", "The land."]),
        (Text(documents="paragraphs", join_lines=True), ["The sea and the sky.", "The land."]),
        (Text(documents="files"), ["The sea\n  and the sky.  \n\n\nThe land."]),
        (Text(documents="files", join_lines=True), ["The sea and the sky.\n\n\nThe land."]),
    ],
)
def test_line_breaks_within_a_document_stay_unless_its_lines_are_joined(
    tmp_path: Path, reader: Text, expected: list[str]
) -> None:
    documents, report = read(reader, write(tmp_path / "a.txt", TWO))
    assert documents == expected
    assert (report.rows, report.dropped) == (len(expected), {})


def test_every_line_end_is_a_line_break(tmp_path: Path) -> None:
    assert read(Text(documents="files"), write(tmp_path / "a.txt", "a\r\nb\rc\n"))[0] == ["a\nb\nc"]


@pytest.mark.parametrize("ending", ["-", "--", "—"])
def test_joined_lines_have_no_space_after_a_hyphen_or_dash(tmp_path: Path, ending: str) -> None:
    reader = Text(documents="paragraphs", join_lines=True)
    assert read(reader, write(tmp_path / "a.txt", f"well{ending}\nknown"))[0] == [f"well{ending}known"]


def test_a_paragraph_ends_with_its_file(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", "one\ntwo")
    write(tmp_path / "b.txt", "three\n")
    assert read(Text(documents="paragraphs"), tmp_path)[0] == ["one\ntwo", "three"]


def test_a_file_without_text_is_dropped_as_empty(tmp_path: Path) -> None:
    write(tmp_path / "a.txt", " \n\n")
    write(tmp_path / "b.txt", "b")
    write(tmp_path / "c.txt", "")
    documents, report = read(Text(documents="files"), tmp_path)
    assert (documents, report.rows, report.dropped) == (["b"], 3, {"empty": 2})
    with pytest.raises(CorpusError, match=r"files: 1, rows: 1, dropped: 1 empty\); looked for files that"):
        read(Text(documents="files"), tmp_path / "a.txt")


def test_stanzas_end_at_blank_lines_and_at_headings(tmp_path: Path) -> None:
    documents, report = read(LyricsGlob(documents="paragraphs"), write(tmp_path / "a.txt", SONG))
    assert documents == ["Row, row\nyour boat", "Merrily", "Life is"]
    assert (report.rows, report.dropped) == (5, {"section heading": 2})


def test_a_whole_song_keeps_its_stanzas_apart(tmp_path: Path) -> None:
    documents, report = read(LyricsGlob(documents="files"), write(tmp_path / "a.txt", SONG))
    assert documents == ["Row, row\nyour boat\n\nMerrily\n\nLife is"]
    assert (report.rows, report.dropped) == (3, {"section heading": 2})


def test_messages_call_the_documents_of_lyrics_what_they_are() -> None:
    nouns = [LyricsGlob(documents=documents).noun for documents in ("lines", "paragraphs", "files")]
    assert nouns == ["lines", "stanzas", "documents"]


@pytest.mark.parametrize("reader", [Text, LyricsGlob])
def test_another_unit_is_refused(reader: type[Text] | type[LyricsGlob]) -> None:
    with pytest.raises(OptionError, match="documents must be lines, paragraphs or files, not 'chapters'"):
        reader(documents="chapters")


def test_lines_that_are_documents_cannot_be_joined() -> None:
    with pytest.raises(OptionError, match="join_lines joins the lines of a document"):
        Text(join_lines=True)


@settings(deadline=None)
@given(st.lists(st.lists(st.text("ab ", min_size=1).filter(str.strip), min_size=1), min_size=1), st.integers(1, 3))
def test_paragraphs_that_were_written_come_back(
    tmp_path_factory: pytest.TempPathFactory, written: list[list[str]], blank: int
) -> None:
    expected = ["\n".join(lines) for lines in written]
    path = write(tmp_path_factory.mktemp("text") / "a.txt", ("\n" * (blank + 1)).join(expected))
    documents, report = read(Text(documents="paragraphs"), path)
    assert documents == expected
    assert (report.rows, report.dropped) == (len(expected), {})
