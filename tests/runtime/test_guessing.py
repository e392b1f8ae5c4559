"""Which reader is guessed for the files that a user names, and the line that says so."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from genrun.reading import Guess, guess_reader
from genrun.reading.columns import is_header
from genrun.reading.sources import SourcePart, shown_source, split_source

JSON_LINES = '{"id": 1, "post": {"title": "The sea"}}\n{"id": 2, "post": {"title": "The sky"}}\n'
TABLE = "id;when;line\n1;2024-01-01;The sea is wide\n2;2024-01-02;The sky is wide\n"
PAGE = "<!DOCTYPE html>\n<html><body><p>The sea</p></body></html>"


def guess(path: Path, data: str | bytes) -> Guess:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return guess_reader([str(path)])


@pytest.mark.parametrize(
    ("name", "text", "kind", "reader", "options"),
    [
        ("a.txt", "The sea\nThe sky\n", "plain text", "text", {}),
        ("a", "The sea, the sky\n[Chorus]\n", "plain text", "text", {}),
        ("a.txt", "[Verse 1]\nThe sea\n", "plain text", "text", {}),
        ("a.txt", "{ a brace\n", "plain text", "text", {}),
        ("a.txt", "a,text\nb,c\nd,e\n", "plain text", "text", {}),
        ("a.jsonl", JSON_LINES, "JSON Lines", "jsonl", {"field": "post.title"}),
        ("a.txt", JSON_LINES, "JSON Lines", "jsonl", {"field": "post.title"}),
        ("a.json", '[\n {"id": 1,\n  "text": "The sea"}]', "JSON", "jsonl", {"field": "text"}),
        ("a.html", "<p>The sea", "HTML", "html", {}),
        ("a.txt", PAGE, "HTML", "html", {}),
        ("README.md", "# The sea\n", "Markdown", "markdown", {}),
        ("a.csv", TABLE, "CSV", "csv", {"column": "line", "separator": ";"}),
        ("a.tsv", TABLE.replace(";", "\t"), "tab-separated values", "csv", {"column": "line", "separator": "tab"}),
        ("a.csv", "1,The sea\n2,The sky\n", "CSV", "csv", {"column": "2", "header": "false"}),
        ("a.csv", "name\nAda\nGrace\n", "CSV", "csv", {"column": "name"}),
        ("a.csv", "Ada\nGrace\nMary\n", "CSV", "csv", {"column": "1", "header": "false"}),
        ("Articles1.csv", "id,headline\n1,The sea\n", "CSV", "nyt-csv", {}),
        ("a", "id,text\n1,The sea\n2,The sky\n", "CSV", "csv", {"column": "text"}),
        ("a.parquet", "PAR1....", "a Parquet file", "parquet", {}),
        ("a.xml", "<?xml version='1.0'?><a/>", "XML", "text", {}),
        ("a.pdf", "%PDF-1.7", "a PDF file", "text", {}),
        ("a.csv", "", "CSV", "csv", {}),
    ],
)
def test_the_kind_is_told_by_name_and_first_bytes(
    tmp_path: Path, name: str, text: str, kind: str, reader: str, options: dict[str, str]
) -> None:
    found = guess(tmp_path / name, text)
    assert (found.kind, found.reader, dict(found.options)) == (kind, reader, options)
    packed = guess(tmp_path / f"{name}.gz", gzip.compress(text.encode()))
    assert (packed.kind, packed.reader, packed.options) == (kind, reader, options)


def test_the_line_names_file_kind_reader_and_options(tmp_path: Path) -> None:
    path = tmp_path / "poems.jsonl"
    assert guess(path, JSON_LINES).line == f"{path}: JSON Lines, read by the reader jsonl (field post.title)"
    other = tmp_path / "more.jsonl"
    other.write_text(JSON_LINES)
    both = guess_reader([str(path), str(other)])
    assert both.line == f"{path} and 1 more: JSON Lines, read by the reader jsonl (field post.title)"
    assert both.sources == (str(path), str(other))


def test_a_folder_is_plain_text_if_it_has_any_else_its_most_frequent_kind(tmp_path: Path) -> None:
    for name in ("a.md", "b.md", "c.csv"):
        (tmp_path / name).write_text("# The sea")
    assert guess_reader([str(tmp_path)]).reader == "markdown"
    (tmp_path / "d.txt").write_text("The sea")
    assert guess_reader([str(tmp_path)]).reader == "text"


def test_an_archive_is_what_its_files_are(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("poems.jsonl", JSON_LINES)
    assert guess_reader([str(tmp_path / "a.zip")]).reader == "jsonl"


def test_standard_input_is_looked_at_and_not_consumed(monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BufferedReader(io.BytesIO(JSON_LINES.encode()))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=buffer))
    assert guess_reader(["-"]).line == "standard input: JSON Lines, read by the reader jsonl (field post.title)"
    assert buffer.read() == JSON_LINES.encode()


def test_files_of_several_kinds_are_a_mix_with_the_reader_of_each(tmp_path: Path) -> None:
    table, page = tmp_path / "a.csv", tmp_path / "b.md"
    table.write_text(TABLE)
    page.write_text("# The sea")
    found = guess_reader([str(table), str(page), f"text,weight=2::{page}"])
    assert found.reader == "mix"
    assert found.sources == (
        f"csv,column=line,separator=;::{table}",
        f"markdown::{page}",
        f"text,weight=2::{page}",
    )


def test_what_is_not_there_is_text_so_that_reading_says_what_is_wrong(tmp_path: Path) -> None:
    assert guess_reader([str(tmp_path / "none.csv")]).reader == "text"
    assert guess_reader([]).reader == "text"


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ([["id", "title"], ["1", "The sea"]], True),
        ([["", "title"], ["0", "The sea"]], True),
        ([["1", "The sea"], ["2", "The sky"]], False),
        ([["2024-01-01", "The sea"], ["2024-01-02", "The sky"]], False),
        ([["the sea and all that is in it", "x"], ["the sky", "y"]], False),
        ([["same", "same"], ["a", "b"]], False),
    ],
)
def test_a_header_has_names(rows: list[list[str]], header: bool) -> None:
    assert is_header(rows) is header


def test_a_source_with_a_reader_comes_back_as_it_was_written(tmp_path: Path) -> None:
    part = SourcePart("csv", {"column": "a,b\\c", "separator": ";"}, 2.5, "news.csv")
    assert split_source(part.at(part.path)) == part
    assert split_source("plugin-one:csv::a") == SourcePart("plugin-one:csv", {}, 1.0, "a")
    for source in ("https://example.org/a", "C:\\a::b", "a.csv", "::a", "csv::"):
        assert split_source(source) is None
    odd = tmp_path / "csv::a"
    odd.write_text("")
    assert split_source(str(odd)) is None


def test_the_copy_of_standard_input_is_called_standard_input(tmp_path: Path) -> None:
    kept = tmp_path / "standard-input.txt"
    kept.write_text("")
    assert shown_source(str(kept)) == str(kept)
    (tmp_path / "run.toml").write_text("")
    assert shown_source(str(kept)) == "standard input"
