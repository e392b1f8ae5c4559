"""The built-in readers keep the contract that genrun.testing checks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from genrun import registry
from genrun.plugins import Reader, ReadReport, make_reader
from genrun.testing import check_reader, reader_checks, tiny_corpus
from genrun.testing.repeated_reading import digest_of

BAD = {
    "csv": 'text\n"one\n',
    "nyt-csv": 'headline\n"one\n',
    "jsonl": '{"text": "one"}\n{"text"\n',
    "text": "one\n\0\n",
}
READERS = [each.name for each in registry.plugins("reader") if each.built_in and each.name not in ("mix", "parquet")]


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not start a process for each reader, which takes time; tests/runtime/test_kit.py has one that needs it."""

    def read_here(reader: Reader, sources: Sequence[str]) -> str:
        return digest_of(list(reader.read(sources, ReadReport())))

    monkeypatch.setattr(reader_checks, "read_elsewhere", read_here)


@pytest.mark.parametrize("name", READERS)
def test_a_reader_passes_with_its_example(name: str, tmp_path: Path) -> None:
    if "csv" in name:
        pytest.importorskip("pandas")
    if name == "markdown":
        pytest.importorskip("markdown_it")
    reader = make_reader(name)
    file, text = reader.example  # type: ignore[attr-defined]
    (tmp_path / file).write_text(text, "utf-8")
    check_reader(reader, [str(tmp_path / file)])


def test_a_table_of_parquet_and_a_mix_pass(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"text": ["the sea", "", "the moon"]}), tmp_path / "a.parquet")
    check_reader(make_reader("parquet"), [str(tmp_path / "a.parquet")])
    check_reader(make_reader("mix"), [f"text,weight=2::{tiny_corpus()}"])


@pytest.mark.parametrize(("name", "text"), BAD.items())
def test_an_error_names_file_and_line(name: str, text: str, tmp_path: Path) -> None:
    reader = make_reader(name)
    file, good = reader.example  # type: ignore[attr-defined]
    bad = tmp_path / f"bad{Path(file).suffix}"
    bad.write_text(text, "utf-8")
    (tmp_path / file).write_text(good, "utf-8")
    check_reader(reader, [str(tmp_path / file)], bad=str(bad))
