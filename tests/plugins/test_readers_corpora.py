"""The readers on the real corpora beside the repository, where these are present."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from genrun.contracts import Reader, ReadReport
from genrun_plugins.readers.csv_column import CsvColumn
from genrun_plugins.readers.lyrics_glob import LyricsGlob
from genrun_plugins.readers.nyt_csv import NytCsv
from genrun_plugins.readers.text import Text

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"


def read(reader: Reader, source: str) -> tuple[list[str], ReadReport]:
    path = DATA / source
    if not list(path.parent.glob(path.name)):
        pytest.skip(f"the corpus {path} is not on this machine")
    report = ReadReport()
    return list(reader.read([str(path)], report)), report


def test_all_new_york_times_headlines() -> None:
    documents, report = read(NytCsv(), "nyt")
    assert (report.files, report.rows, len(documents)) == (9, 9_335, 8_603)
    assert report.dropped == {"unknown": 732}


def test_april_2018_alone() -> None:
    documents, report = read(NytCsv(), "nyt/ArticlesApril2018.csv")
    assert (report.rows, len(documents)) == (1_324, 1_214)
    assert documents[0] == "Former N.F.L. Cheerleaders’ Settlement Offer: $1 and a Meeting With Goodell"


def test_headlines_are_those_that_the_csv_module_reads() -> None:
    documents, _ = read(NytCsv(), "nyt")
    expected: list[str] = []
    for path in sorted((DATA / "nyt").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            expected += [row["headline"] for row in csv.DictReader(file)]
    assert documents == [headline for headline in expected if headline.strip() != "Unknown"]


def test_an_older_export_has_fewer_rows() -> None:
    documents, report = read(NytCsv(), "messy/ArticlesApril2018.early-version.csv")
    assert (report.rows, len(documents)) == (688, 638)


def test_songs() -> None:
    documents, report = read(Text(), "songs/*.txt")
    assert (report.files, report.rows, len(documents)) == (6, 59_589, 46_513)
    verses, report = read(LyricsGlob(), "songs/*.txt")
    assert report.dropped == {"empty": 13_076, "section heading": 1_052}
    assert verses == [line.strip() for line in documents if not line.strip().endswith(":")]


def test_a_table_with_a_byte_order_mark() -> None:
    documents, report = read(CsvColumn("publish_date"), "messy/abcnews-1k.utf8-bom.csv")
    assert documents[0] == "20030219"
    documents, report = read(CsvColumn("headline_text"), "messy/abcnews-1k.utf8-bom.csv")
    assert documents[0] == "aba decides against community broadcasting licence"
    assert len(documents) == report.rows == 1_037


def test_a_table_with_carriage_returns() -> None:
    documents, report = read(CsvColumn("headline_text"), "messy/abcnews-20k.crlf.csv")
    assert len(documents) == report.rows == 19_999
    assert not any("\r" in document for document in documents)


def test_euc_kr() -> None:
    with pytest.raises(Exception, match=r"euc-kr\.txt:1: byte 0xb5 is not utf-8; .* euc-kr, cp1252\)$"):
        read(Text(), "messy/kimyujeong_camellia.euc-kr.txt")
    documents, _ = read(Text(encoding="euc-kr"), "messy/kimyujeong_camellia.euc-kr.txt")
    assert documents[0].strip() == "동백꽃"
