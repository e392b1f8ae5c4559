"""What was read once is not read again, unless anything that it depends on has changed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from genrun_core.corpus import cache as corpus_cache
from genrun_core.runs.atomic import write_bytes
from support.preparations import Preparations, content, entries


def test_the_same_corpus_is_read_once(prepare: Preparations, cache: Path) -> None:
    first, first_read = prepare()
    second, second_read = prepare()
    assert (first_read, second_read) == (True, False)
    assert content(first) == content(second)
    assert len(content(first)) == 5
    assert len(entries(cache)) == 1


def test_a_run_folder_needs_no_cache_once_it_is_made(prepare: Preparations, cache: Path) -> None:
    prepare()
    run, _ = prepare()
    before = content(run)
    assert os.path.samefile(run.tokens / "ids.int32", entries(cache)[0] / "ids.int32")
    shutil.rmtree(cache)
    assert content(run) == before


def test_writing_to_a_run_folder_changes_no_other(prepare: Preparations) -> None:
    prepare()
    one, _ = prepare()
    other, _ = prepare()
    before = content(other)
    with one.tokenizer_file.open("a") as file:  # a person edits it in place
        file.write(" ")
    write_bytes(one.tokens / "ids.int32", b"as genrun writes")
    assert content(other) == before
    assert prepare()[1] is False


def rewrite(texts: Path) -> None:
    (texts / "a.txt").write_text("one two three\none six\n", "utf-8")
    os.utime(texts / "a.txt", ns=(1, 1))


def rewrite_within(texts: Path) -> None:
    """Other words of the same size, and the time set back, as rsync and archives do."""
    before = (texts / "a.txt").stat()
    (texts / "a.txt").write_text("one two three\none six\n", "utf-8")
    os.utime(texts / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (texts / "a.txt").stat().st_size == before.st_size


def exchange(texts: Path) -> None:
    """Another file of the same size and time in its place, as ``cp -p`` leaves it."""
    before = (texts / "a.txt").stat()
    (texts / "new").write_text("one two three\none six\n", "utf-8")
    os.utime(texts / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
    (texts / "new").replace(texts / "a.txt")


@pytest.mark.parametrize(
    "change",
    [
        rewrite,
        rewrite_within,
        exchange,
        lambda texts: os.utime(texts / "a.txt", ns=(1, 1)),
        lambda texts: (texts / "b.txt").write_text("one\n", "utf-8"),
        lambda texts: (texts / "a.txt").rename(texts / "b.txt"),
    ],
    ids=["content", "content within", "another file", "time", "one more", "another name"],
)
def test_a_changed_file_is_read(prepare: Preparations, texts: Path, change: Callable[[Path], object]) -> None:
    prepare()
    change(texts)
    assert prepare()[1] is True
    assert prepare()[1] is False


def test_a_file_that_changes_while_it_is_read_is_not_kept(prepare: Preparations, texts: Path, cache: Path) -> None:
    prepare.meanwhile = lambda: os.utime(texts / "a.txt", ns=(1, 1))
    prepare()
    assert entries(cache) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"encoding": "cp1252"},
        {"reader": "lyrics-glob"},
        {"minimum_count": "2"},
        {"kind": "char"},
        {"recipe": "default"},
    ],
    ids=str,
)
def test_another_reader_option_or_tokenizer_is_another_corpus(
    prepare: Preparations, settings: dict[str, str]
) -> None:
    prepare()
    assert prepare(**settings)[1] is True
    assert prepare(**settings)[1] is False
    assert prepare()[1] is False


def test_what_is_learnt_from_it_makes_no_difference(prepare: Preparations) -> None:
    prepare()
    assert prepare(hidden_size="7", epochs="3", seed="5")[1] is False


def test_changed_code_of_a_reader_is_noticed(prepare: Preparations, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare()
    code = corpus_cache._code
    assert [name for name, _, _ in code("genrun_core.runs.token_shards")].count("token_shards.py") == 1
    assert code("no_such_module") == []
    changed = lambda module: [*code(module), ("new.py", 1, 1)] if "readers" in module else code(module)  # noqa: E731
    monkeypatch.setattr(corpus_cache, "_code", changed)
    assert prepare()[1] is True


def test_a_reader_can_refuse_to_be_kept(prepare: Preparations, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from genrun_plugins.readers.text import Text

    monkeypatch.setattr(Text, "cached", False, raising=False)
    assert [prepare()[1], prepare()[1]] == [True, True]
    assert entries(cache) == []


def test_a_registered_reader_is_not_kept_since_no_file_has_its_code(prepare: Preparations, cache: Path) -> None:
    from genrun.plugins import reader
    from genrun_plugins.readers.text import Text

    reader("mine")(Text)
    assert [prepare(**{"reader.name": "mine"})[1] for _ in range(2)] == [True, True]
    assert entries(cache) == []


def test_what_a_run_folder_holds_itself_is_not_kept(prepare: Preparations, cache: Path) -> None:
    (prepare.folder / "run-0").mkdir()
    (prepare.folder / "run-0" / "standard-input.txt").write_text("one two\n", "utf-8")
    prepare(source=prepare.folder / "run-0" / "standard-input.txt")
    assert entries(cache) == []


def test_the_least_recently_used_entries_go_first(
    prepare: Preparations, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare()
    (first,) = entries(cache)
    size = sum(path.stat().st_size for path in first.iterdir())
    limit = 7 * size // 2  # three have room, and four have not
    monkeypatch.setattr(corpus_cache, "LIMIT", limit)
    prepare(minimum_count="2")
    (second,) = set(entries(cache)) - {first}
    os.utime(first / "corpus.json", (1, 1))
    os.utime(second / "corpus.json", (2, 2))
    assert prepare()[1] is False  # used: now the second is the oldest
    prepare(minimum_count="1", specials="pad,unk")
    prepare(minimum_count="1", specials="pad,end")
    assert first in entries(cache)
    assert second not in entries(cache)
    assert sum(path.stat().st_size for entry in entries(cache) for path in entry.iterdir()) <= limit
    monkeypatch.setattr(corpus_cache, "LIMIT", 10)
    prepare(kind="char")
    assert first in entries(cache)  # what is too large alone does not drive out the others


def test_off_is_off(prepare: Preparations, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare()
    before = entries(cache)
    monkeypatch.setenv("GENRUN_CACHE", "off")
    assert corpus_cache.cache_folder() is None
    assert prepare(minimum_count="2")[1] is True
    assert prepare()[1] is True
    assert entries(cache) == before


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GENRUN_CACHE", "~/mine")
    assert corpus_cache.cache_folder() == tmp_path / "mine" / "corpora"
    monkeypatch.delenv("GENRUN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert corpus_cache.cache_folder() == tmp_path / "xdg" / "genrun" / "corpora"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert corpus_cache.cache_folder() == tmp_path / ".cache" / "genrun" / "corpora"
