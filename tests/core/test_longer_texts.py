"""Documents of several lines in training: what is kept, what is said of what is not, and what a novel becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from genrun.errors import OptionError
from genrun_core.evaluation.evaluation import evaluate
from genrun_core.recipes.recipe import load_recipe
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.train import resume, train
from support.prose import paragraphs, wrapped

STANZAS = "The sea is wide\nand the sky is high\n\nThe gull is back\nand the tide is late\n\nThe boat\n"
SMALL = {"epochs": "1", "hidden_size": "8", "embedding_size": "8", "counting": "false"}


def counted(path: Path, output: Path, settings: dict[str, str]) -> tuple[RunFolder, list[str]]:
    said: list[str] = []
    recipe = load_recipe("ngram", {"validation": "0", **settings})
    return train([str(path)], recipe, output, say=said.append), said


@pytest.fixture
def stanzas(tmp_path: Path) -> Path:
    (tmp_path / "stanzas.txt").write_text(STANZAS, "utf-8")
    return tmp_path / "stanzas.txt"


def test_line_breaks_that_are_dropped_are_said_with_the_remedy(stanzas: Path, tmp_path: Path) -> None:
    _, said = counted(stanzas, tmp_path / "run", {"documents": "paragraphs"})
    note = "note: 2 documents have line breaks, which the tokenizer drops; --set line_breaks=true keeps them"
    assert note in said
    kept, said = counted(stanzas, tmp_path / "kept", {"documents": "paragraphs", "line_breaks": "true"})
    assert not any("line breaks" in line for line in said)
    tokenizer = kept.tokenizer()
    assert tokenizer.decode(kept.shards(tokenizer)[0]) == "the sea is wide\nand the sky is high"
    assert kept.card()["corpus"]["line_breaks"] == 2


@pytest.mark.parametrize("settings", [{"kind": "char"}, {"documents": "lines"}])
def test_where_no_line_break_is_lost_nothing_is_said(stanzas: Path, tmp_path: Path, settings: dict[str, str]) -> None:
    _, said = counted(stanzas, tmp_path / "run", {"documents": "paragraphs", **settings})
    assert not any("line breaks" in line for line in said)


def test_a_normalization_that_removes_the_line_breaks_of_characters_is_said_too(
    stanzas: Path, tmp_path: Path
) -> None:
    recipe = tmp_path / "mine.toml"
    recipe.write_text(
        '[reader]\nname = "text"\ndocuments = "paragraphs"\n[model]\narchitecture = "ngram"\n[tokenizer]\n'
        'kind = "char"\nnormalization = [{ step = "space_out", characters = "\\n" }]\n',
        "utf-8",
    )
    said: list[str] = []
    train([str(stanzas)], load_recipe(str(recipe)), tmp_path / "run", say=said.append)
    assert "note: 2 documents have line breaks, which the tokenizer drops" in said


def test_a_novel_trains_as_running_text_and_its_folder_says_so(tmp_path: Path) -> None:
    texts = paragraphs(30)
    (tmp_path / "novel.txt").write_text(wrapped(texts), "utf-8")
    said: list[str] = []
    run = train([str(tmp_path / "novel.txt")], load_recipe("default", SMALL), tmp_path / "run", say=said.append)
    assert said[0].endswith("--set documents=lines makes each line a document")
    assert said[1] == "30 rows in 1 file: 30 documents"
    recipe = RunFolder.open(run.path).recipe()
    assert (recipe.training.running_text, recipe.adapt) == (True, ())
    assert recipe.reader.options["documents"] == "paragraphs"
    tokenizer = run.tokenizer()
    assert tokenizer.decode(run.shards(tokenizer)[7]) == texts[7].lower()
    before = run.network_file.read_bytes()
    resume(run.path)
    assert run.network_file.read_bytes() == before
    found = evaluate(run.path, [str(tmp_path / "novel.txt")])
    assert found.tokens == len(run.shards(tokenizer).ids) - 1  # by paragraphs, as one text


def test_an_end_that_is_written_needs_running_text_and_an_end() -> None:
    for settings in ({}, {"running_text": "true", "specials": "unk"}):
        with pytest.raises(OptionError, match="end_token=line is for running_text=true and the special token 'end'"):
            load_recipe("lyricist", {"end_token": "line", **settings})
    with pytest.raises(OptionError, match="unknown end_token 'lines'; did you mean 'line'"):
        load_recipe("lyricist", {"end_token": "lines"})
