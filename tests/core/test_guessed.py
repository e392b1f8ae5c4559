"""A training without a named reader: the corpus decides; mixes are kept, cached and continued."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import genrun
from genrun_core.corpus.guessed import guessed_recipe, kind_note
from genrun_core.corpus.kept_sources import absolute_source
from genrun_core.recipes.recipe import load_recipe
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.train import resume
from genrun_core.training.train import train as train_model

RECORDS = [
    {"id": number, "title": f"The {word} is here"} for number, word in enumerate(["sea", "sky", "gull", "ferry"])
]


@pytest.fixture
def lines(tmp_path: Path) -> str:
    path = tmp_path / "poems.jsonl"
    path.write_text("\n".join(map(json.dumps, RECORDS)), "utf-8")
    return str(path)


@pytest.fixture
def names(tmp_path: Path) -> str:
    path = tmp_path / "names.txt"
    path.write_text("Ada is here\nGrace is here\n", "utf-8")
    return str(path)


def test_the_reader_is_guessed_and_said(lines: str) -> None:
    recipe, sources, line = guessed_recipe([lines])
    assert (recipe.reader.name, recipe.reader.options["field"]) == ("jsonl", "title")
    assert sources == (lines,)
    assert line == f"{lines}: JSON Lines, read by the reader jsonl (field title)"


def test_what_is_given_goes_before_what_is_guessed(lines: str) -> None:
    assert guessed_recipe([lines], overrides={"field": "id"}).recipe.reader.options["field"] == "id"
    assert guessed_recipe([lines], overrides={"reader.field": "id"}).recipe.reader.options["field"] == "id"
    for named in ({"reader": "text"}, {"overrides": {"reader": "text"}}):
        recipe, _, line = guessed_recipe([lines], **named)
        assert (recipe.reader.name, line) == ("text", "")
    with pytest.raises(
        genrun.OptionError, match=r"read by the reader jsonl \(field title\); .*unknown option 'colum'"
    ):
        guessed_recipe([lines], overrides={"colum": "title"})


@pytest.mark.parametrize("recipe", ["nyt-headlines", "lyricist"])
def test_the_reader_of_a_recipe_stays(lines: str, recipe: str) -> None:
    assert guessed_recipe([lines], recipe) == (load_recipe(recipe), (lines,), "")


def test_plain_text_is_read_as_ever(names: str) -> None:
    assert guessed_recipe([names]) == (load_recipe("default"), (names,), "")


def test_another_kind_that_is_read_as_lines_is_noted(lines: str, names: str) -> None:
    recipe = load_recipe("racetrack")
    assert kind_note(recipe, [lines]) == (
        "note: every line of these files is a document, although they look like JSON Lines: "
        "--reader jsonl --set field=title reads what they hold"
    )
    assert kind_note(recipe, [names]) is None
    assert kind_note(load_recipe("racetrack", reader="jsonl"), [lines]) is None


def test_a_mix_is_kept_cached_and_continued(
    lines: str, names: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENRUN_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    said: list[str] = []

    def count(weight: int) -> Path:
        sources = [f"jsonl,field=title,weight={weight}::poems.jsonl", "names.txt"]
        recipe, found, _ = guessed_recipe(sources, "ngram", {"validation": "0"})
        said.clear()
        return train_model(found, recipe, tmp_path / f"run-{len(list(tmp_path.iterdir()))}", say=said.append).path

    run = count(2)
    assert said[0] == "10 rows in 2 files: 10 documents, 4 of them duplicates"
    assert said[1].endswith(": each document is read 2 times")
    assert RunFolder.open(run).sources == [f"jsonl,field=title,weight=2::{lines}", f"text::{names}"]
    count(2)
    assert said[0].startswith("the corpus is as it was read before")
    count(3)
    assert said[0] == "14 rows in 2 files: 14 documents, 8 of them duplicates"
    monkeypatch.chdir("/")
    resume(run)


def test_a_source_with_a_reader_is_kept_independent_of_the_current_folder(
    lines: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert absolute_source("jsonl,field=title::poems.jsonl") == f"jsonl,field=title::{lines}"
    assert absolute_source("jsonl::nowhere.jsonl") == "jsonl::nowhere.jsonl"


def test_errors_in_standard_input_call_it_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "given").write_bytes(b"it is late\n\xff\n")
    with (tmp_path / "given").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        with pytest.raises(genrun.CorpusError, match=r"^standard input:2: byte 0xff is not utf-8; "):
            train_model(["-"], load_recipe("ngram"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_notes_of_a_reader_are_said_also_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENRUN_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "a.csv"
    path.write_text("id,title\n1,The sea is here\n2,The sky is here\n3")
    recipe, sources, _ = guessed_recipe([str(path)], "ngram", {"validation": "0"})
    for name in ("one", "two"):
        said: list[str] = []
        train_model(sources, recipe, tmp_path / name, say=said.append)
        assert [line for line in said if line.startswith("note: ")] == [
            f"note: {path}: the file seems to be cut off: its last row has 1 of 2 columns; it has no value"
        ]
