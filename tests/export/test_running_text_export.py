"""Models of running text as files: they write on past the end of a document, until a stop text or their length."""

from __future__ import annotations

from pathlib import Path

import pytest

import genrun
from genrun_core.recipes.recipe import load_recipe
from genrun_core.reporting.model_report import texts_from_nothing
from genrun_core.training.train import train
from genrun_export.exporting import export

LINES = "wide seas\nhigh skies\nyoung gulls\nlate tide\n" * 5  # what comes next is always clear
STANZAS = "wide seas\nhigh skies\n\nyoung gulls\nlate tide\n\n" * 5
RUNNING = {"running_text": "true", "validation": "0"}


def model_of(text: str, folder: Path, settings: dict[str, str], recipe: str = "ngram") -> genrun.Model:
    (folder / "corpus.txt").write_text(text, "utf-8")
    run = train([str(folder / "corpus.txt")], load_recipe(recipe, settings), folder / "run")
    export(run.path, folder / "model.onnx")
    model = genrun.load(folder / "model.onnx", device="cpu")
    assert genrun.verify(model).passed
    return model


@pytest.mark.parametrize("specials", ["unk,end", "pad,unk,start,end"])
@pytest.mark.parametrize("kind", ["word", "char"])
def test_a_line_ends_and_the_text_goes_on(tmp_path: Path, specials: str, kind: str) -> None:
    model = model_of(LINES, tmp_path, {**RUNNING, "specials": specials, "kind": kind, "casing": "none"})
    assert model.defaults.stop_ids == ()
    prompt = "wide seas\n"
    [result] = model.generate_many([prompt], decoder="greedy", max_new_tokens=60)
    assert result.finish_reason == "length"
    assert result.text.startswith(prompt)
    written = result.continuation.split("\n")
    assert len(written) > 2
    assert set(written[:-1]) <= set(LINES.splitlines())
    assert prompt + "".join(model.stream(prompt, decoder="greedy", max_new_tokens=60)) == result.text
    [stopped] = model.generate_many([prompt], decoder="greedy", max_new_tokens=60, stop="\n")
    assert (stopped.finish_reason, stopped.continuation) == ("stop", written[0])


def test_a_subword_model_goes_on_too(tmp_path: Path) -> None:
    model = model_of(LINES, tmp_path, {**RUNNING, "architecture": "ngram"}, "subwords")
    text = model.generate("wide seas\nhigh", decoder="greedy", max_new_tokens=60)
    assert text.startswith("wide seas\nhigh")
    assert set(text.split("\n")[:-1]) <= set(LINES.splitlines())


def test_a_stanza_is_written_with_its_lines_and_ends_at_a_blank_line(tmp_path: Path) -> None:
    settings = {**RUNNING, "documents": "paragraphs", "line_breaks": "true", "casing": "none"}
    model = model_of(STANZAS, tmp_path, settings)
    assert model.tokenizer.end_text == "\n\n"
    [result] = model.generate_many(["young"], decoder="greedy", max_new_tokens=40, stop="\n\n")
    assert (result.finish_reason, result.text.count("\n")) == ("stop", 1)
    assert result.text in STANZAS.split("\n\n")


def test_a_report_measures_texts_that_end_where_a_document_does(tmp_path: Path) -> None:
    model = model_of(LINES, tmp_path, {**RUNNING, "casing": "none"})
    texts = texts_from_nothing(model, model.settings(seed=1, max_new_tokens=60), 200)
    assert set(texts) >= set(LINES.splitlines())
    assert not any("\n" in text for text in texts)


def test_suggestions_after_a_line_break_are_how_lines_begin(tmp_path: Path) -> None:
    model = model_of(LINES, tmp_path, {**RUNNING, "specials": "unk,end", "casing": "none"})
    assert [found.text for found in model.suggest("wide seas\n", n=1)] == ["high"]
    assert [found.text for found in model.suggest("wide seas\nhi", n=1)] == ["high"]


def test_documents_apart_end_their_texts_as_before(tmp_path: Path) -> None:
    model = model_of(LINES, tmp_path, {"validation": "0"})
    assert model.defaults.stop_ids == (model.tokenizer.special("end"),)
    assert model.tokenizer.end_text == ""
    assert "\n" not in model.generate("wide", max_new_tokens=60, seed=1)


@pytest.mark.parametrize(("chosen", "text"), [("stop", ""), ("line", "\n"), ("paragraph", "\n\n")])
def test_the_recipe_can_choose_what_an_end_is(tmp_path: Path, chosen: str, text: str) -> None:
    model = model_of(LINES, tmp_path, {**RUNNING, "end_token": chosen})
    assert model.tokenizer.end_text == text
    assert bool(model.defaults.stop_ids) is (chosen == "stop")


def test_the_recipe_ptb_ends_a_text_with_its_line() -> None:
    recipe = load_recipe("ptb")
    assert (recipe.training.running_text, recipe.generation.end_token) == (True, "stop")


def test_a_network_of_running_text_writes_on(tmp_path: Path) -> None:
    small = {"epochs": "2", "hidden_size": "16", "embedding_size": "8", "counting": "false", "batch_size": "4"}
    model = model_of(LINES, tmp_path, {**RUNNING, **small}, "default")
    [result] = model.generate_many(["wide"], seed=3, max_new_tokens=50)
    assert (result.finish_reason, len(result.ids)) == ("length", 50)
    assert "\n" in result.continuation
