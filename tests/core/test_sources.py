"""Which files a corpus is, and that a change of one of them is noticed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import genrun
from genrun.reading.sources import expand
from genrun_core.corpus.counts import CorpusCounts
from genrun_core.corpus.kept_sources import absolute_source
from genrun_core.corpus.preparation import corpus_changed, prepare_corpus
from genrun_core.corpus.sources import fingerprint, list_files
from genrun_core.recipes.recipe import Recipe, load_recipe
from genrun_core.runs.run_folder import RunFolder
from genrun_plugins.readers.text import Text


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    for name in ("b.txt", "a.txt", "deep/er/c.txt", ".hidden.txt", ".git/config", "run/run.toml", "run/metrics.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("one two\nthree four\n", "utf-8")
    return folder


def names(*sources: object) -> list[str] | None:
    files = list_files([str(source) for source in sources])
    return None if files is None else [Path(file.path).name for file in files]


def test_a_folder_means_all_below_it_that_is_neither_hidden_nor_of_a_run(texts: Path) -> None:
    assert names(texts) == ["a.txt", "b.txt", "c.txt"]


def test_files_and_globs_come_in_the_order_given(
    texts: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert names(texts / "b.txt", texts / "*.txt", texts / "**" / "c.txt") == ["b.txt", "a.txt", "b.txt", "c.txt"]
    (texts / "[x].txt").write_text("a name that looks like a glob", "utf-8")
    assert names(texts / "[x].txt") == ["[x].txt"]
    monkeypatch.chdir(tmp_path)
    assert list_files(["texts/a.txt"]) == list_files([str(texts / "a.txt")])


@pytest.mark.parametrize("source", ["https://example.org/a.txt", "-", "nowhere.txt", "no*where", "a\0b"])
def test_what_is_no_file_has_no_fingerprint(texts: Path, source: str) -> None:
    assert list_files([str(texts), source]) is None
    assert fingerprint(None) == fingerprint([]) == ""


def test_links_that_lead_in_a_circle_or_nowhere_are_no_obstacle(texts: Path) -> None:
    (texts / "deep" / "back").symlink_to(texts)
    (texts / "gone.txt").symlink_to(texts / "was-here.txt")
    assert names(texts) == ["a.txt", "b.txt", "gone.txt", "c.txt"]


@pytest.mark.parametrize("source", ["*.txt", "[ab].txt", "**/c.txt", "a.txt", "[x].txt", "~/a.txt", ".", "no*", "-"])
def test_a_reader_the_cache_and_the_run_folder_agree_on_what_a_source_means(
    texts: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    (texts / "[x].txt").write_text("a name that looks like a glob", "utf-8")
    monkeypatch.setenv("HOME", str(texts))
    monkeypatch.chdir(texts)
    for unread in ("deep", "run"):
        if source == ".":  # a reader looks into the folder itself only
            shutil.rmtree(unread)
    try:
        read = [os.path.abspath(file) for file in expand([source], Text().accepts, "text")]
    except genrun.CorpusError:
        assert list_files([source]) is None
        assert absolute_source(source) == source
    else:
        assert [file.path for file in list_files([source]) or ()] == read
        assert [os.path.abspath(file) for file in expand([absolute_source(source)], Text().accepts, "text")] == read


def rewrite(texts: Path) -> None:
    (texts / "a.txt").write_text("one two\nthree five!\n", "utf-8")


def touch(texts: Path) -> None:
    os.utime(texts / "a.txt", ns=(1, 1))


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": rewrite,
    "time": touch,
    "one more": lambda texts: (texts / "z.txt").write_text("x y\n", "utf-8"),
    "one less": lambda texts: (texts / "a.txt").unlink(),
    "another name": lambda texts: (texts / "a.txt").rename(texts / "aa.txt"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_corpus_is_noticed_when_a_run_goes_on(
    texts: Path, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    recipe = load_recipe("racetrack")
    run = RunFolder.create(tmp_path / "run", recipe, [str(texts)])
    said = prepare(run, recipe)
    assert corpus_changed(run) is False
    assert prepare(run, recipe) == said
    change(texts)
    assert corpus_changed(run) is True
    note, *rest = prepare(run, recipe)
    assert note.startswith("note: the corpus has changed since it was read; training goes on with what was read then")
    assert rest == said


def test_what_cannot_be_known_is_not_said(texts: Path, tmp_path: Path) -> None:
    recipe = load_recipe("racetrack")
    run = RunFolder.create(tmp_path / "run", recipe, [str(texts / "*.txt")])
    said = prepare(run, recipe)
    for name in ("a.txt", "b.txt"):
        (texts / name).unlink()
    assert corpus_changed(run) is None
    assert prepare(run, recipe) == said
    older = {name: value for name, value in (run.corpus() or {}).items() if name != "sources_fingerprint"}
    run.corpus_file.write_text(json.dumps(older), "utf-8")
    (texts / "a.txt").write_text("new text\n", "utf-8")
    assert corpus_changed(run) is None
    assert prepare(run, recipe) == said


def test_tokens_that_are_not_complete_are_read_anew(texts: Path, tmp_path: Path) -> None:
    recipe = load_recipe("racetrack")
    run = RunFolder.create(tmp_path / "run", recipe, [str(texts / "a.txt")])
    prepare(run, recipe)
    rewrite(texts)
    run.corpus_file.unlink()
    said = prepare(run, recipe)
    assert not [line for line in said if "changed" in line]
    assert corpus_changed(run) is False
    assert "five!" in run.tokenizer().vocabulary


def prepare(run: RunFolder, recipe: Recipe) -> list[str]:
    corpus = prepare_corpus(run, recipe)
    assert corpus.counts == CorpusCounts.from_json(run.corpus() or {}, run.corpus_file)
    return list(corpus.report)
