"""The kind of token is chosen by the corpus, said with its reason, and can be given."""

from __future__ import annotations

from pathlib import Path

import pytest

from genrun_core.corpus.kind import choose_kind
from genrun_core.corpus.preparation import prepare_corpus
from genrun_core.recipes.recipe import load_recipe
from genrun_core.runs.run_folder import RunFolder
from support.languages import sentences

NAMES = [f"{first}{last}" for first in ("Ada", "Gra", "Mar", "Eli", "Jo") for last in ("", "ce", "y", "sa", "han")]
CODE = ["def f(x): return [y for y in x]", "x = {'a': 1};", "if (a < b) { return c[0]; }", "for (;;) { i += 1; }"]
LINES = [f"the council votes on {thing} again" for thing in ("roads", "parks", "schools", "ferries")]


@pytest.mark.parametrize(
    ("documents", "kind"),
    [
        (sentences("chinese"), "bpe"),
        (sentences("japanese"), "bpe"),
        (sentences("german"), "word"),
        (sentences("korean"), "word"),
        (CODE, "bpe"),
        (NAMES, "char"),
        (LINES, "word"),
        ([], "word"),
        (["12345", "678"], "char"),
    ],
)
def test_the_kind_fits_the_corpus(documents: list[str], kind: str) -> None:
    choice = choose_kind(documents)
    assert choice.kind == kind
    assert bool(choice.reason) == (kind != "word")


def test_only_the_first_documents_are_looked_at() -> None:
    read: list[int] = []

    def documents() -> object:
        for number in range(10**6):
            read.append(number)
            yield f"the line number {number}"

    assert choose_kind(documents()).kind == "word"  # type: ignore[arg-type]
    assert len(read) <= 2_001


@pytest.mark.parametrize(
    ("settings", "kind", "casing"),
    [({}, "bpe", "none"), ({"kind": "char"}, "char", "corpus"), ({"kind": "word"}, "word", "corpus")],
)
def test_the_run_folder_records_the_choice_and_a_given_kind_stays(
    settings: dict[str, str], kind: str, casing: str, tmp_path: Path
) -> None:
    (tmp_path / "corpus.txt").write_text("\n".join(sentences("chinese")), "utf-8")
    recipe = load_recipe("ngram", settings)
    run = RunFolder.create(tmp_path / "run", recipe, [str(tmp_path / "corpus.txt")])
    corpus = prepare_corpus(run, recipe)
    assert corpus.tokenizer.kind == kind == run.recipe().tokenizer.kind
    assert run.recipe().generation.casing == casing
    assert any("subwords" in line for line in corpus.report) == (not settings)
    again = prepare_corpus(RunFolder.open(run.path), RunFolder.open(run.path).recipe())
    assert again.tokenizer.vocabulary == corpus.tokenizer.vocabulary


def test_what_was_given_stays_and_letters_may_be_doubled(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("\n".join(NAMES), "utf-8")
    for settings, decoder, length in (
        ({}, "temperature", 100),
        ({"decoder": "top-k", "max_new_tokens": "9"}, "top-k", 9),
    ):
        run = RunFolder.create(tmp_path / decoder, load_recipe("ngram", settings), [str(tmp_path / "names.txt")])
        recipe = prepare_corpus(run, run.recipe()).recipe
        assert recipe.tokenizer.kind == "char"
        assert (recipe.decoder.name, recipe.generation.max_new_tokens) == (decoder, length)
    assert load_recipe("default").decoder.options["repeats"] is False
    assert load_recipe("default", {"kind": "char"}).decoder.options["repeats"] is True
