"""The reader csv: any delimited file, its quoting, its separators and its blank lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from genrun.contracts import ReadReport
from genrun.errors import CorpusError, OptionError
from genrun_plugins.readers.csv_column import CsvColumn


def read(reader: CsvColumn, *sources: object) -> tuple[list[str], ReadReport]:
    report = ReadReport()
    return list(reader.read([str(source) for source in sources], report)), report


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def test_without_a_column_the_header_is_listed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,title\n1,One\n")
    with pytest.raises(OptionError, match=r"a\.csv: the column is not named; it has 'id', 'title'; name one with"):
        read(CsvColumn(), path)


def test_the_only_column_needs_no_name(tmp_path: Path) -> None:
    assert read(CsvColumn(), write(tmp_path / "a.csv", "title\nOne\n"))[0] == ["One"]
    assert read(CsvColumn(header=False), write(tmp_path / "a.csv", "One\nTwo\n"))[0] == ["One", "Two"]


@pytest.mark.parametrize(
    ("header", "documents"), [(None, ["Zero", "One"]), (True, ["One"]), (False, ["Zero", "One"])]
)
def test_a_column_by_number_is_of_a_table_with_or_without_a_header(
    tmp_path: Path, header: bool | None, documents: list[str]
) -> None:
    path = write(tmp_path / "a.csv", "0,Zero\n1,One\n")
    found, report = read(CsvColumn("2", header=header), path)
    assert found == documents
    assert report.notes == (
        (f"{path}: the first row is read as data (else --set header=true)",) if header is None else ()
    )
    named = write(tmp_path / "b.csv", "id,title\n1,One\n")
    assert read(CsvColumn("2"), named)[0] == read(CsvColumn("title"), named)[0] == ["One"]
    with pytest.raises(CorpusError, match=r"b\.csv: no column 3: the columns are numbered from 1 to 2"):
        read(CsvColumn("3"), named)


def test_a_table_without_a_header_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "0,Zero\n1,One\n")
    with pytest.raises(CorpusError) as caught:
        read(CsvColumn("title"), path)
    assert str(caught.value) == (
        f"{path}: no column 'title', and the first row seems to be data: '0', 'Zero'; "
        "give its number, 1 to 2: --set reader.column=1 --set header=false"
    )
    with pytest.raises(OptionError, match="without a header, column is a number from 1, not 'title'"):
        CsvColumn("title", header=False)


def test_unknown_is_a_value_like_any_other_and_blank_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,title\n1,Unknown\n2,\n3\n4,None\n")
    documents, report = read(CsvColumn("title"), path)
    assert documents == ["Unknown", "None"]
    assert (report.rows, report.dropped) == (4, {"missing": 2})


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end_will_do(tmp_path: Path, end: str) -> None:
    path = write(tmp_path / "a.csv", end.join(["id,title", "1,One", "2,Two", ""]))
    assert read(CsvColumn("title"), path)[0] == ["One", "Two"]


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "\ufefftitle,id\nOne,1\n")
    assert read(CsvColumn("title"), path)[0] == ["One"]


def test_quoted_values_keep_line_ends_separators_and_quotes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id,title\n1,"One,\r\n""two""\rthree\nfour"\n2,Five\n')
    documents, report = read(CsvColumn("title"), path)
    assert documents == ['One,\r\n"two"\rthree\nfour', "Five"]
    assert report.rows == 2


def test_huge_quoted_values_come_back_whole(tmp_path: Path) -> None:
    huge = "many words, é\r\n" * 100_000
    path = write(tmp_path / "a.csv", f'title\n"{huge}"\nsmall\n')
    assert read(CsvColumn("title"), path)[0] == [huge, "small"]


def test_many_chunks_keep_their_order(tmp_path: Path) -> None:
    numbers = [f"title {n}" for n in range(30_000)]
    path = write(tmp_path / "a.csv", "title\n" + "\n".join(numbers))
    documents, report = read(CsvColumn("title"), path)
    assert documents == numbers
    assert report.rows == 30_000


def test_a_folder_means_csv_and_tsv_files(tmp_path: Path) -> None:
    write(tmp_path / "b.CSV", "title,id\nB,1\n")
    write(tmp_path / "a.tsv", "title\tid\nA, with comma\t1\n")
    write(tmp_path / "c.txt", "title\nno\n")
    assert read(CsvColumn("title"), tmp_path)[0] == ["A, with comma", "B"]


def test_a_folder_without_tables_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"the folder has no file that ends in \.csv or \.tsv"):
        read(CsvColumn("title"), tmp_path)


@pytest.mark.parametrize(
    ("separator", "character"),
    [(";", ";"), ("\t", "\t"), (r"\t", "\t"), ("tab", "\t"), ("|", "|"), (" ", " ")],
)
def test_separators(tmp_path: Path, separator: str, character: str) -> None:
    path = write(tmp_path / "a.csv", f"id{character}title\n1{character}One,two\n")
    assert read(CsvColumn("title", separator=separator), path)[0] == ["One,two"]


@pytest.mark.parametrize("separator", ["", "::", "\n", '"', "é", "\0"])
def test_what_cannot_separate_is_refused(separator: str) -> None:
    with pytest.raises(OptionError, match="separator must be one ASCII character or tab, not "):
        CsvColumn("title", separator=separator)


def test_blank_lines_count_as_rows_without_a_value(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "\ntitle\nOne\n\n  \nTwo\n")
    documents, report = read(CsvColumn("title"), path)
    assert documents == ["One", "Two"]
    assert (report.rows, report.dropped) == (4, {"missing": 2})


def test_a_repeated_column_means_the_first(tmp_path: Path) -> None:
    assert read(CsvColumn("title"), write(tmp_path / "a.csv", "title,title\nOne,Two\n"))[0] == ["One"]


def test_a_header_without_rows_yields_nothing(tmp_path: Path) -> None:
    header, full = write(tmp_path / "a.csv", "title\n"), write(tmp_path / "b.csv", "title\nOne\n")
    assert read(CsvColumn("title"), header, full)[0] == ["One"]
    with pytest.raises(CorpusError, match=r"files: 1, rows: 0, .* looked for values of the column 'title'"):
        read(CsvColumn("title"), header)


def test_an_empty_value_too_many_is_let_pass(tmp_path: Path) -> None:
    assert read(CsvColumn("title"), write(tmp_path / "a.csv", "title,by\nOne,A,\n"))[0] == ["One"]
