"""Tables that cannot be read: empty files, broken rows, no pandas."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from genrun.checks.installation import pip_line
from genrun.contracts import ReadReport
from genrun.errors import CorpusError, MissingExtraError
from genrun_plugins.readers.csv_column import CsvColumn


def read(reader: CsvColumn, source: Path) -> list[str]:
    return list(reader.read([str(source)], ReadReport()))


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff"])
def test_an_empty_file_is_named(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "a.csv", text)
    with pytest.raises(CorpusError, match=r"a\.csv: the file is empty; a header with the column 'title'"):
        read(CsvColumn("title"), path)


def test_a_row_with_too_many_values_is_an_error_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'title,by\n"One\nline",A\nTwo, three,B\nFour,C\n')
    with pytest.raises(CorpusError) as caught:
        read(CsvColumn("title"), path)
    assert str(caught.value) == f"{path}:4: the row has more than the header's 2 columns"


def test_a_quote_without_end_is_an_error_with_its_line(tmp_path: Path) -> None:
    rows = "".join(f'"{n}\n",B\n' for n in range(10_000))
    path = write(tmp_path / "a.csv", f'title,by\n{rows}"Open,C\nFive,D\n')
    with pytest.raises(CorpusError) as caught:
        read(CsvColumn("title"), path)
    message = "a quoted value that begins in this row has no closing quote"
    assert str(caught.value) == f"{path}:20002: {message}"


def test_an_error_after_a_huge_value_names_the_row_instead(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "title\n" + "x" * 200_000 + "\nOne,two\n")
    with pytest.raises(CorpusError, match=r"a\.csv: row 2: the row has more than the header's 1 columns"):
        read(CsvColumn("title"), path)


def test_an_unreadable_header_is_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", '"' + "x" * 200_000)
    with pytest.raises(CorpusError, match=r"a\.csv:1: the header cannot be read: field larger"):
        read(CsvColumn("title"), path)


def test_without_pandas_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=re.escape(f"reading CSV files needs pandas: {pip_line('train')}")):
        read(CsvColumn("title"), write(tmp_path / "a.csv", "title\nOne\n"))


def test_importing_the_reader_does_not_import_pandas() -> None:
    code = "from genrun_plugins.readers import csv_column, nyt_csv; print('pandas' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"
