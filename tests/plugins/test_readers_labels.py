"""Labels that readers give to documents: values of columns and fields, and one for each file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from genrun.contracts import Document, Reader, ReadReport
from genrun.errors import CorpusError, OptionError
from genrun_plugins.readers.csv_column import CsvColumn
from genrun_plugins.readers.json_lines import JsonLines
from genrun_plugins.readers.mix import Mix
from genrun_plugins.readers.nyt_csv import NytCsv
from genrun_plugins.readers.parquet import Parquet
from genrun_plugins.readers.text import Text

ROWS = [("The Sea", "Travel", 1786), ("The Sky", "", 1787), ("The Law", "Opinion", None)]
EXPECTED = [
    ("The Sea", {"section": "Travel", "year": "1786"}),
    ("The Sky", {"year": "1787"}),
    ("The Law", {"section": "Opinion"}),
]


def documents(reader: Reader, *sources: object) -> list[tuple[str, dict[str, str]]]:
    found = list(reader.read([str(source) for source in sources], ReadReport()))
    return [(str(text), text.labels if isinstance(text, Document) else {}) for text in found]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "Articles.csv"
    lines = [f"{title},{section},{year or ''}" for title, section, year in ROWS]
    path.write_text("\n".join(["headline,section,year", *lines, ""]), encoding="utf-8")
    return path


@pytest.mark.parametrize("reader", [CsvColumn, NytCsv])
def test_columns_are_labels(reader: type[CsvColumn | NytCsv], table: Path) -> None:
    assert documents(reader("headline", label_columns=("section", "year")), table) == EXPECTED
    assert documents(reader("headline"), table) == [(title, {}) for title, _ in EXPECTED]


def test_a_column_of_a_table_without_a_header_is_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("The Sea,Travel\n", encoding="utf-8")
    reader = CsvColumn("1", header=False, label_columns=("2",))
    assert documents(reader, path) == [("The Sea", {"2": "Travel"})]


def test_fields_are_labels(tmp_path: Path) -> None:
    objects = [{"post": {"title": title}, "section": section, "year": year} for title, section, year in ROWS]
    lines, whole = tmp_path / "a.jsonl", tmp_path / "a.json"
    lines.write_text("".join(json.dumps(each) + "\n" for each in objects), encoding="utf-8")
    whole.write_text(json.dumps(objects, indent=1), encoding="utf-8")
    reader = JsonLines("post.title", label_columns=("section", "year"))
    assert documents(reader, lines) == documents(reader, whole) == EXPECTED
    several = tmp_path / "b.jsonl"
    several.write_text('{"author": "Burns", "texts": [{"text": "One"}, {"text": "Two"}]}\n', encoding="utf-8")
    found = documents(JsonLines("texts.text", label_columns=("author",)), several)
    assert found == [("One", {"author": "Burns"}), ("Two", {"author": "Burns"})]


def test_columns_of_parquet_are_labels(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    columns = dict(zip(("title", "section", "year"), map(list, zip(*ROWS, strict=True)), strict=True))
    parquet.write_table(pyarrow.table(columns), tmp_path / "a.parquet")
    reader = Parquet("title", label_columns=("section", "year"))
    assert documents(reader, tmp_path / "a.parquet") == EXPECTED


@pytest.mark.parametrize("reader", [CsvColumn, NytCsv])
def test_a_column_that_is_not_there_is_one_line(reader: type[CsvColumn | NytCsv], table: Path) -> None:
    with pytest.raises(CorpusError, match=r"Articles.csv: no column 'sektion' for a label; did you mean 'section'\?"):
        documents(reader("headline", label_columns=("sektion",)), table)


def test_each_file_of_a_mix_may_have_its_own_label(tmp_path: Path) -> None:
    for name in ("burns", "scott"):
        (tmp_path / f"{name}.txt").write_text(f"A line of {name}\n", encoding="utf-8")
    sources = [f"text,label=author={name.title()},weight=2::{tmp_path / name}.txt" for name in ("burns", "scott")]
    expected = [("A line of burns", {"author": "Burns"}), ("A line of scott", {"author": "Scott"})]
    assert documents(Mix(), *sources) == [document for document in expected for _ in range(2)]


def test_a_label_of_all_documents_does_not_replace_their_own(table: Path) -> None:
    reader = CsvColumn("headline", label_columns=("section",), label=("section=News", "paper=NYT"))
    assert [labels["section"] for _, labels in documents(reader, table)] == ["Travel", "News", "Opinion"]
    assert {labels["paper"] for _, labels in documents(reader, table)} == {"NYT"}


@pytest.mark.parametrize("pair", ["Burns", "=Burns", "author= "])
def test_a_label_that_is_no_pair_is_refused(pair: str) -> None:
    with pytest.raises(OptionError, match="label is NAME=VALUE"):
        Text(label=(pair,))
