"""Compressed files, zip archives, and files that are no text, with every reader of files."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from genrun.contracts import Reader, ReadReport
from genrun.errors import CorpusError
from genrun_plugins.readers.csv_column import CsvColumn
from genrun_plugins.readers.html_text import Html
from genrun_plugins.readers.json_lines import JsonLines
from genrun_plugins.readers.markdown import Markdown
from genrun_plugins.readers.text import Text

PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": lambda data: bz2.compress(data, 1),  # in small blocks
    ".xz": lzma.compress,
}
READERS = {
    "a.txt": (Text(), b"One\nTwo\n"),
    "a.csv": (CsvColumn("title"), b"id,title\n1,One\n2,Two\n"),
    "a.tsv": (CsvColumn("title"), b"id\ttitle\n1\tOne\n2\tTwo\n"),
    "a.jsonl": (JsonLines(), b'{"text": "One"}\n{"text": "Two"}\n'),
    "a.md": (Markdown(), b"# One\n\nTwo\n"),
    "a.html": (Html(), b"<p>One<p>Two"),
}
EACH = pytest.mark.parametrize(("name", "reader", "data"), [(name, *rest) for name, rest in READERS.items()])


def read(reader: Reader, *sources: object) -> list[str]:
    return list(reader.read([str(source) for source in sources], ReadReport()))


def error_of(reader: Reader, path: Path) -> str:
    with pytest.raises(CorpusError) as caught:
        read(reader, path)
    message = str(caught.value)
    assert "\n" not in message
    return message.removeprefix(f"{path.parent}/")


@EACH
@pytest.mark.parametrize("suffix", PACK)
def test_compressed_files_are_read_from_folders_too(
    tmp_path: Path, name: str, reader: Reader, data: bytes, suffix: str
) -> None:
    path = tmp_path / f"{name}{suffix}"
    path.write_bytes(PACK[suffix](data))
    assert read(reader, path) == read(reader, tmp_path) == ["One", "Two"]


@EACH
def test_archives_are_read_by_the_suffix_of_the_reader(
    tmp_path: Path, name: str, reader: Reader, data: bytes
) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"b/{name}", data)
        archive.writestr(f"a/{name}", data)
        archive.writestr("notes.log", "not read")
        archive.writestr(f"__MACOSX/._{name}", "\0")
    report = ReadReport()
    assert list(reader.read([str(path)], report)) == ["One", "Two"] * 2
    assert report.files == 2


@EACH
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_read(
    monkeypatch: pytest.MonkeyPatch, name: str, reader: Reader, data: bytes, pack: Callable[[bytes], bytes]
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(pack(data.replace(b"\t", b",")))))
    assert read(reader, "-") == ["One", "Two"]


def test_an_archive_without_the_readers_files_gives_all_it_has(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("b", "One")
    assert read(Text(), tmp_path / "a.zip") == ["One"]


@pytest.mark.parametrize("suffix", PACK)
def test_what_was_cut_off_is_one_line_and_what_stands_before_can_be_kept(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.txt{suffix}"
    lines = [f"line {number * 7919 % 10_007}" for number in range(60_000)]
    path.write_bytes(PACK[suffix]("\n".join(lines).encode())[:-900])
    message = f"a.txt{suffix}: the compressed file ends too early: it was cut off"
    assert error_of(Text(), path) == message
    report = ReadReport()
    kept = list(Text(skip_bad=True).read([str(path)], report))
    assert kept == lines[: len(kept)]
    assert report.rows == len(kept) + 1
    assert report.dropped == {"unreadable": 1}
    assert report.notes == (f"{tmp_path}/{message}; the rest of the file is skipped",)


@pytest.mark.parametrize(
    ("name", "data", "line"),
    [
        ("a.pdf", b"%PDF-1.7 ...", "a.pdf: a PDF file: save its text as a text file first"),
        ("a.txt", b"PAR1....", "a.txt: a Parquet file, not text: --reader parquet"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c....", "a.7z: a 7-Zip archive: unpack it first"),
        ("a.txt.gz", b"\x1f\x8b\x08\0damaged", "a.txt.gz: the compressed file "),
        ("a.zip", b"PK\x03\x04damaged", "a.zip: the compressed file is damaged: "),
    ],
)
def test_files_that_are_no_text_say_what_helps(tmp_path: Path, name: str, data: bytes, line: str) -> None:
    (tmp_path / name).write_bytes(data)
    assert error_of(Text(), tmp_path / name).startswith(line)


def test_office_documents_and_tar_archives_are_named(tmp_path: Path) -> None:
    for inside, what in (("xl/workbook.xml", "an Excel file"), ("word/document.xml", "a Word file")):
        with zipfile.ZipFile(tmp_path / "a.bin", "w") as archive:
            archive.writestr(inside, "")
        assert error_of(Text(), tmp_path / "a.bin").startswith(f"a.bin: {what}: save ")
    (tmp_path / "b.txt").write_text("One")
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "b.txt")
    assert error_of(Text(), tmp_path / "a.tar.gz") == "a.tar.gz: a tar archive: unpack it first"
    with zipfile.ZipFile(tmp_path / "hidden.zip", "w") as archive:
        archive.writestr(".hidden", "")
    assert error_of(Text(), tmp_path / "hidden.zip") == "hidden.zip: the archive has no file"


@pytest.mark.parametrize(
    ("reader", "name", "text", "hint"),
    [
        (JsonLines(), "a.csv", "id,title\n", "the file looks like CSV: --reader csv"),
        (JsonLines(), "a.html", "<html><p>One", "the file looks like HTML: --reader html"),
        (CsvColumn("title"), "a.jsonl", '{"title": "One"}\n', "the file looks like JSON Lines: --reader jsonl"),
    ],
)
def test_the_wrong_reader_is_told_the_right_one(
    tmp_path: Path, reader: Reader, name: str, text: str, hint: str
) -> None:
    (tmp_path / name).write_text(text)
    assert error_of(reader, tmp_path / name).endswith(hint)
