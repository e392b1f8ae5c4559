"""The reader nyt-csv: which files, which rows, and what it says when there are none."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from genrun.contracts import Reader, ReadReport
from genrun.contracts.options import build
from genrun.errors import CorpusError
from genrun_plugins.readers.nyt_csv import NytCsv


def read(*sources: object, reader: Reader | None = None) -> tuple[list[str], ReadReport]:
    report = ReadReport()
    return list((reader or NytCsv()).read([str(source) for source in sources], report)), report


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def test_is_a_reader_whose_options_come_from_text() -> None:
    reader = build(NytCsv, {"column": "snippet", "encoding": "cp1252"}, what="reader 'nyt-csv'")
    assert isinstance(reader, Reader)
    assert reader == NytCsv(column="snippet", encoding="cp1252")


def test_unknown_and_missing_headlines_are_dropped_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "headline,by\nOne,A\nUnknown,B\n Unknown ,C\n,D\n  ,E\nTwo,F\n")
    documents, report = read(path)
    assert documents == ["One", "Two"]
    assert (report.files, report.rows, report.dropped) == (1, 6, {"unknown": 2, "missing": 2})


def test_headlines_that_look_like_missing_values_survive(tmp_path: Path) -> None:
    words = ["NA", "None", "null", "nan", "1", "1.50", "True", "007"]
    assert read(write(tmp_path / "a.csv", "headline\n" + "\n".join(words)))[0] == words


def test_headlines_are_left_as_they_stand(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'headline,by\n"  Two  spaces, and ""quotes"" ",A\n')
    assert read(path)[0] == ['  Two  spaces, and "quotes" ']


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    write(tmp_path / "Articles1.csv", "by,headline,url\nA,One,x\n")
    write(tmp_path / "Articles2.csv", "headline,url,by\nTwo,x,A\n")
    assert read(tmp_path)[0] == ["One", "Two"]


def test_a_folder_means_its_articles_sorted_by_name(tmp_path: Path) -> None:
    write(tmp_path / "ArticlesB.csv", "headline\nB\n")
    write(tmp_path / "MyArticlesA.CSV", "headline\nMyA\n")
    write(tmp_path / "ArticlesA.csv", "headline\nA\n")
    write(tmp_path / "CommentsA.csv", "comment\nno\n")
    write(tmp_path / "Articles.txt", "no\n")
    write(tmp_path / "._ArticlesA.csv", "\0\1")
    (tmp_path / "ArticlesFolder.csv").mkdir()
    assert read(tmp_path)[0] == ["A", "B", "MyA"]


def test_a_folder_without_articles_says_what_was_looked_for(tmp_path: Path) -> None:
    write(tmp_path / "Comments.csv", "headline\nno\n")
    with pytest.raises(CorpusError, match=r"has no file with 'Articles' in its name that ends in \.csv"):
        read(tmp_path)


def test_a_named_file_or_glob_needs_no_articles_in_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "mine.csv", "headline\nMine\n")
    assert read(path)[0] == read(tmp_path / "m*.csv")[0] == ["Mine"]


def test_a_missing_column_names_the_file_its_columns_and_the_nearest(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "by,Headline\nA,One\n")
    with pytest.raises(CorpusError) as caught:
        read(path)
    assert str(caught.value) == (f"{path}: no column 'headline'; it has 'by', 'Headline'; did you mean 'Headline'?")


def test_a_missing_column_without_a_near_name_says_how_to_choose(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "x,y\nA,One\n")
    with pytest.raises(CorpusError, match=r"it has 'x', 'y'; name one with --set reader\.column=…$"):
        read(path)


def test_only_unknown_headlines_are_an_error_that_counts_them(tmp_path: Path) -> None:
    write(tmp_path / "Articles1.csv", "headline\nUnknown\n \n")
    write(tmp_path / "Articles2.csv", "headline\nUnknown\n")
    with pytest.raises(CorpusError) as caught:
        read(tmp_path)
    assert str(caught.value) == (
        f"no document found in {tmp_path} (files: 2, rows: 3, dropped: 2 unknown, 1 missing); "
        "looked for values of the column 'headline' other than 'Unknown'"
    )


def test_no_source_at_all_is_an_error() -> None:
    with pytest.raises(CorpusError, match="files: 0, rows: 0, dropped: none"):
        read()


def test_the_second_file_waits_for_the_first(tmp_path: Path) -> None:
    write(tmp_path / "Articles1.csv", "headline\nOne\nTwo\n")
    (tmp_path / "Articles2.csv").write_bytes(b"headline\n\xff\n")
    report = ReadReport()
    documents = NytCsv().read([str(tmp_path)], report)
    assert list(itertools.islice(documents, 2)) == ["One", "Two"]
    assert report.files == 1
    with pytest.raises(CorpusError, match=r"Articles2\.csv:2: byte 0xff"):
        next(documents)


def test_nothing_is_read_before_the_first_document_is_asked_for() -> None:
    NytCsv().read(["no such file"], ReadReport())


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    for name in "cab":
        write(tmp_path / f"Articles{name}.csv", f"headline\n{name}1\nUnknown\n{name}2\n")
    (first, report), (second, again) = read(tmp_path), read(tmp_path)
    assert first == second == ["a1", "a2", "b1", "b2", "c1", "c2"]
    assert vars(report) == vars(again)
