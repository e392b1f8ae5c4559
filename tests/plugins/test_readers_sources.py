"""Which files a source names: paths, folders, globs, and what is said when there are none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from genrun.contracts import ReadReport
from genrun.errors import CorpusError
from genrun_plugins.readers.text import Text


def read(*sources: object) -> list[str]:
    return list(Text().read([str(source) for source in sources], ReadReport()))


def write(path: Path) -> Path:
    """Write a file whose only line is its stem."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(path.stem)
    return path


def test_sources_keep_their_order_and_repeat_if_named_twice(tmp_path: Path) -> None:
    b, a = write(tmp_path / "b.txt"), write(tmp_path / "a.txt")
    assert read(b, a, tmp_path) == ["b", "a", "a", "b"]


def test_two_stars_reach_any_depth(tmp_path: Path) -> None:
    for name in ["one.txt", "deep/two.txt", "deep/deeper/three.txt", "deep/no.md"]:
        write(tmp_path / name)
    assert read(tmp_path / "**" / "*.txt") == ["three", "two", "one"]
    assert read(tmp_path) == ["one"]


def test_folders_that_a_glob_matches_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "a.txt")
    (tmp_path / "b.txt").mkdir()
    assert read(tmp_path / "*.txt") == ["a"]


@pytest.mark.parametrize("name", ["missing.txt", "*.txt", "missing/", "**/*.txt"])
def test_what_matches_nothing_is_named(tmp_path: Path, name: str) -> None:
    source = os.path.join(tmp_path, name)
    with pytest.raises(CorpusError) as caught:
        read(source)
    assert str(caught.value) == f"no such file, folder or match: {source!r}"


def test_a_missing_source_is_reported_before_any_file_is_read(tmp_path: Path) -> None:
    report = ReadReport()
    with pytest.raises(CorpusError, match=r"no such file.*missing\.txt"):
        next(Text().read([str(write(tmp_path / "a.txt")), "missing.txt"], report))
    assert report.files == 0


def test_a_name_with_glob_characters_means_that_file_if_it_exists(tmp_path: Path) -> None:
    write(tmp_path / "a.txt")
    assert read(write(tmp_path / "[a].txt")) == ["[a]"]
    (tmp_path / "[a].txt").unlink()
    assert read(tmp_path / "[a].txt") == ["a"]


def test_a_folder_with_glob_characters_means_that_folder(tmp_path: Path) -> None:
    write(tmp_path / "take [1]" / "a.txt")
    assert read(tmp_path / "take [1]") == ["a"]


def test_a_tilde_means_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "songs" / "a.txt")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert read("~/songs/a.txt") == read("~/songs") == read("~/s*/*.txt") == ["a"]


def test_a_folder_without_text_files_says_so(tmp_path: Path) -> None:
    write(tmp_path / "a.md")
    with pytest.raises(CorpusError, match=r"the folder has no file that ends in \.txt"):
        read(tmp_path)


def test_files_that_cannot_be_opened_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.txt")

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)  # not chmod, which does not bind root
    with pytest.raises(CorpusError, match=r"a\.txt: Permission denied$"):
        read(path)
    monkeypatch.setattr("os.listdir", refuse)
    with pytest.raises(CorpusError, match=r": Permission denied$"):
        read(tmp_path)


def test_a_file_that_turned_into_a_folder_is_one_line(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a.txt"), write(tmp_path / "b.txt")
    documents = Text().read([str(first), str(second)], ReadReport())
    assert next(documents) == "a"
    second.unlink()
    second.mkdir()
    with pytest.raises(CorpusError, match=r"b\.txt: Is a directory$"):
        next(documents)
