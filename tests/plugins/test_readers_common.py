"""What all readers of files have in common: options, counts that add up, bad rows and files, Gutenberg's frame."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrun.contracts import Reader, ReadReport
from genrun.errors import CorpusError, OptionError
from genrun_plugins.readers.csv_column import CsvColumn
from genrun_plugins.readers.html_text import Html
from genrun_plugins.readers.json_lines import JsonLines
from genrun_plugins.readers.lyrics_glob import LyricsGlob
from genrun_plugins.readers.markdown import Markdown
from genrun_plugins.readers.mix import Mix
from genrun_plugins.readers.nyt_csv import NytCsv
from genrun_plugins.readers.text import Text

BOOK = """\ufeffThe Project Gutenberg eBook of Tides

Some licence.
*** START OF THE PROJECT GUTENBERG EBOOK TIDES ***
The sea.

The sky.
*** END OF THE PROJECT GUTENBERG EBOOK TIDES ***
More licence.
"""


def read(reader: Reader, *sources: object) -> tuple[list[str], ReadReport]:
    report = ReadReport()
    return list(reader.read([str(source) for source in sources], report)), report


def write(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


OPTIONS = st.fixed_dictionaries(
    {
        "drop_pattern": st.sampled_from(["", "a", "^b"]),
        "minimum_length": st.integers(0, 3),
        "maximum_length": st.sampled_from([0, 4, 9]),
        "deduplicate": st.booleans(),
        "sample": st.sampled_from([1.0, 0.5]),
    }
)
MAKE = st.sampled_from(
    [
        (Text, {}),
        (Text, {"documents": "paragraphs"}),
        (LyricsGlob, {}),
        (LyricsGlob, {"documents": "files"}),
        (CsvColumn, {"column": "a"}),
        (CsvColumn, {"column": "1", "header": False}),
        (NytCsv, {"column": "a"}),
        (JsonLines, {"field": "a"}),
        (Markdown, {}),
        (Html, {"documents": "files"}),
        (Html, {}),
    ]
)
PIECES = st.lists(
    st.sampled_from(
        [
            "a,b\n",
            "abc\n",
            '{"a": "b c"}\n',
            '{"b": 1}\n',
            "\n",
            "Chorus:\n",
            "<p>b",
            '"',
            "b,c,d\n",
            "# a\n",
            "\xff",
            "\0",
        ]
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=80)
@given(MAKE, OPTIONS, PIECES)
def test_counts_always_add_up(
    tmp_path_factory: pytest.TempPathFactory,
    make: tuple[type, dict[str, object]],
    common: dict[str, object],
    text: list[str],
) -> None:
    reader = make[0](**make[1], **common, skip_bad=True)
    path = write(tmp_path_factory.mktemp("any") / "a", "".join(["a\n", *text]).encode("latin-1"))
    report = ReadReport()
    documents: list[str] = []
    with contextlib.suppress(CorpusError):  # there is no document
        documents += reader.read([str(path)], report)
    assert report.rows == len(documents) + sum(report.dropped.values())
    assert report.files == 1


def test_documents_are_dropped_by_length_pattern_and_likeness(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "The sea\nI\nChapter 1\nThe sea\nA very long line indeed\n\nThe sky\n")
    reader = Text(minimum_length=2, maximum_length=20, drop_pattern="^Chapter", deduplicate=True)
    documents, report = read(reader, path)
    assert documents == ["The sea", "The sky"]
    assert report.rows == 7
    assert report.dropped == {"too short": 1, "drop_pattern": 1, "duplicate": 1, "too long": 1, "empty": 1}


def test_a_sample_is_a_share_that_grows_with_the_corpus(tmp_path: Path) -> None:
    lines = [f"line {number}" for number in range(2_000)]
    some, report = read(Text(sample=0.25), write(tmp_path / "a.txt", "\n".join(lines)))
    assert 400 < len(some) < 600
    assert report.dropped == {"not in the sample": 2_000 - len(some)}
    fewer, _ = read(Text(sample=0.25), write(tmp_path / "b.txt", "\n".join(lines[:1_000])))
    assert fewer == some[: len(fewer)]
    assert set(some) <= set(read(Text(sample=0.5), tmp_path / "a.txt")[0])


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"drop_pattern": "("}, "drop_pattern '\\(' is no regular expression: "),
        ({"minimum_length": -1}, "0 \\(off\\) or more"),
        ({"minimum_length": 5, "maximum_length": 4}, "maximum_length=4 is below minimum_length=5"),
        ({"sample": 0.0}, "sample is a share of the documents: above 0 and up to 1, not 0.0"),
        ({"sample": float("nan")}, "sample is a share"),
    ],
)
def test_common_options_are_checked_for_every_reader(options: dict[str, object], problem: str) -> None:
    readers: tuple[type, ...] = (Text, LyricsGlob, CsvColumn, JsonLines, Html, Markdown)
    for make in readers:
        with pytest.raises(OptionError, match=problem):
            make(**options)


def test_bad_rows_and_files_are_skipped_with_a_count_and_named(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", '{"text": "One"}\nnot JSON\n{"text": "caf\xe9"}\n{"text": "Two"}\n'.encode("latin-1"))
    write(tmp_path / "b.jsonl", b"%PDF-1.7")
    write(tmp_path / "c.jsonl", '{"text": "Three"}\n')
    documents, report = read(JsonLines(skip_bad=True), tmp_path)
    assert documents == ["One", "Two", "Three"]
    assert (report.files, report.rows) == (3, 6)
    assert report.dropped == {"unreadable": 2, "undecodable": 1}
    assert report.notes == (
        f"{tmp_path}/a.jsonl:2: not JSON: Expecting value; skipped",
        f"{tmp_path}/b.jsonl: a PDF file: save its text as a text file first; the rest of the file is skipped",
    )


def test_bad_rows_of_tables_are_skipped_and_no_good_one_with_them(tmp_path: Path) -> None:
    good = [f"title {number}" for number in range(9_000)]
    rows = "".join(f"{title},A\n" for title in good)
    path = write(tmp_path / "a.csv", f'title,by\nOne,two,three,four\n{rows}"Open,A\nlast,A\n')
    documents, report = read(CsvColumn("title", skip_bad=True), path)
    assert documents == good
    assert (report.rows, report.dropped) == (9_002, {"unreadable": 2})
    assert [note.partition(": ")[2] for note in report.notes] == [
        "row 1: the row has more than the header's 2 columns; skipped",
        "a quoted value that begins in this row has no closing quote; the rest of the file is skipped",
    ]


@pytest.mark.parametrize(
    ("column", "end", "documents", "dropped", "note"),
    [
        ("title", "3,Thr", ["One", "Two"], {"cut off": 1}, "its value is left out"),
        ("id", "3,Thr", ["1", "2", "3"], {}, "its value is kept"),
        ("by", "3,Thr", ["A", "B"], {"missing": 1}, "it has no value"),
    ],
)
def test_the_cut_last_row_of_a_table_is_noted(
    tmp_path: Path, column: str, end: str, documents: list[str], dropped: dict[str, int], note: str
) -> None:
    path = write(tmp_path / "a.csv", f"id,title,by\n1,One,A\n2,Two,B\n{end}")
    found, report = read(CsvColumn(column), path)
    assert (found, report.dropped) == (documents, dropped)
    start = f"{path}: the file seems to be cut off: its last row has 2 of 3 columns"
    assert report.notes == (f"{start}; {note}",)


@pytest.mark.parametrize("end", ["3,Three,C", "3,Three,C\n", '3,"Three\nmore",C', "3\n"])
def test_a_whole_last_row_is_no_cause_for_a_note(tmp_path: Path, end: str) -> None:
    report = read(CsvColumn("id"), write(tmp_path / "a.csv", f"id,title,by\n1,One,A\n{end}"))[1]
    assert (report.rows, report.notes) == (2, ())


@pytest.mark.parametrize("reader", [Text, LyricsGlob])
def test_the_frame_of_project_gutenberg_is_left_out_with_a_note(tmp_path: Path, reader: type) -> None:
    path = write(tmp_path / "a.txt", BOOK)
    documents, report = read(reader(), path)
    assert documents == ["The sea.", "The sky."]
    assert report.rows == 9
    assert report.dropped == {"empty": 1, "Project Gutenberg's frame": 6}
    what = "header and licence of Project Gutenberg are left out (6 lines; --set keep_frame=true keeps them)"
    assert report.notes == (f"{path}: {what}",)
    assert len(read(reader(keep_frame=True), path)[0]) == 7


def test_a_text_that_only_names_project_gutenberg_stays_whole(tmp_path: Path) -> None:
    text = "From Project Gutenberg\n" + "a line\n" * 2_000
    documents, report = read(Text(), write(tmp_path / "a.txt", text))
    assert (len(documents), report.notes) == (2_001, ())


@pytest.mark.parametrize("encoding", ["cp1252", "cp949", "cp1251", "shift_jis"])
def test_an_undecodable_file_offers_the_encoding_that_reads_it(tmp_path: Path, encoding: str) -> None:
    pytest.importorskip("charset_normalizer")
    text = {
        "cp1252": "Les élèves étaient très étonnés de voir la forêt brûler près de l’église.\n",
        "cp949": "오늘 아침에 우리는 공원에서 책을 읽었습니다. 날씨가 아주 좋았습니다.\n",
        "cp1251": "Мой дядя самых честных правил, когда не в шутку занемог.\n",
        "shift_jis": "吾輩は猫である。名前はまだ無い。どこで生れたかとんと見当がつかぬ。\n",
    }[encoding]
    path = write(tmp_path / "a.txt", (text * 5).encode(encoding))
    with pytest.raises(CorpusError) as caught:
        read(Text(), path)
    start, _, guess = str(caught.value).partition("--set reader.encoding=")
    assert "a.txt:1: byte 0x" in start
    assert read(Text(encoding=guess), path)[0] == [text.strip()] * 5


def test_no_document_names_the_sources(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{name}.txt", "\n") for name in "abcd"]
    with pytest.raises(CorpusError) as caught:
        read(Text(), *paths)
    a, b, c, _ = paths
    assert str(caught.value).startswith(
        f"no document found in {a}, {b}, {c} and 1 more (files: 4, rows: 4, dropped: 4 "
    )


def test_many_notes_are_counted(tmp_path: Path) -> None:
    for number in range(25):
        write(tmp_path / f"{number:02}.txt", BOOK)
    notes = read(Text(), tmp_path)[1].notes
    assert len(notes) == 11
    assert notes[-1] == "and 15 more notes on the files"


@settings(deadline=None, max_examples=25)
@given(st.sampled_from([0.5, 1.0, 2.0, 2.5]), st.lists(st.text("ab", min_size=1), min_size=1))
def test_a_weight_repeats_or_thins_out_the_documents_of_a_source(
    tmp_path_factory: pytest.TempPathFactory, weight: float, lines: list[str]
) -> None:
    path = write(tmp_path_factory.mktemp("mix") / "a.txt", "\n".join(lines))
    documents, report = read(Mix(), f"text,weight={weight}::{path}", path)
    assert documents[len(documents) - len(lines) :] == lines
    for line in set(lines):
        times = (documents.count(line) - lines.count(line)) / lines.count(line)
        assert times in (int(weight), int(weight) + (weight % 1 > 0))
    assert report.rows == len(documents) + sum(report.dropped.values())


def test_a_mix_has_readers_with_options(tmp_path: Path) -> None:
    table = write(tmp_path / "a.csv", "id,title\n1,One\n2,Two\n")
    lines = write(tmp_path / "b.jsonl", '{"text": "Three"}\n')
    documents, report = read(Mix(), f"csv,column=title,drop_pattern=T\\,|O::{table}", f"jsonl,weight=2::{lines}")
    assert documents == ["Two", "Three", "Three"]
    assert report.dropped == {"drop_pattern": 1}
    assert report.notes == (f"jsonl,weight=2::{lines}: each document is read 2 times",)
    with pytest.raises(CorpusError, match="reader 'csv' has no option 'colum'; did you mean 'column'"):
        read(Mix(), f"csv,colum=title::{table}")
    with pytest.raises(OptionError, match="weight must be above 0 and up to 1000, not '0'"):
        read(Mix(), f"csv,column=title,weight=0::{table}")
