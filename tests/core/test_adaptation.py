"""Sizes that fit a corpus: open values are chosen once the corpus is known, given ones stay, nothing is odd."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import genrun
from genrun_core.corpus.adaptation import CorpusSize, choose_sizes
from genrun_core.recipes.counting import ORDER, RECENT
from genrun_core.recipes.recipe import ADAPTABLE, BY_SHAPE, KIND, Recipe, load_recipe
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.train import resume
from support.trained import train, weights


@given(
    predictions=st.integers(1, 10**9),
    documents=st.integers(1, 10**8),
    vocabulary=st.integers(2, 10**6),
    samples=st.booleans(),
    characters=st.booleans(),
    running_text=st.booleans(),
)
def test_every_corpus_gets_sizes_that_a_recipe_accepts(
    predictions: int, documents: int, vocabulary: int, samples: bool, characters: bool, running_text: bool
) -> None:
    values = choose_sizes(CorpusSize(predictions, documents, vocabulary, samples, characters, running_text))
    assert set(values) == set(ADAPTABLE) - {KIND, ORDER, RECENT, *BY_SHAPE}
    tables: dict[str, dict[str, object]] = {"model": {"tied": True}, "training": {"validation": 0.1}}
    for name, value in values.items():
        section, _, key = name.partition(".")
        tables[section][key] = value
    recipe = Recipe.from_dict(tables)
    assert recipe.training.sampled_softmax < vocabulary
    assert samples or not recipe.training.sampled_softmax


def test_the_run_folder_has_what_was_chosen_and_a_resume_keeps_it(samples: Path, tmp_path: Path) -> None:
    settings = {"epochs": "1", "hidden_size": "24"}
    run = train([samples / "racetrack.txt"], "default", tmp_path / "run", {**settings, "validation": "0"})
    recipe = RunFolder.open(run).recipe()
    assert recipe.adapt == ()
    assert (recipe.model.hidden_size, recipe.training.epochs) == (24, 1)  # given
    chosen = choose_sizes(CorpusSize(RunFolder.open(run).card()["corpus"]["predicted"], 3, 15))
    assert recipe.model.embedding_size == chosen["model.embedding_size"]
    assert recipe.training.batch_size == chosen["training.batch_size"]
    before = weights(run)
    resume(run)
    assert weights(run) == before


def test_what_is_given_is_not_left_to_the_corpus() -> None:
    assert set(load_recipe("default").adapt) == set(ADAPTABLE)
    given = load_recipe("default", {"model.dropout": "0.1", "batch_size": "7"})
    assert set(ADAPTABLE) - set(given.adapt) == {"model.dropout", "training.batch_size"}
    assert set(load_recipe("default", {"counting": "false"}).adapt) == set(ADAPTABLE) - {ORDER, RECENT}
    ngram = load_recipe("ngram").adapt
    assert ngram == load_recipe("default", {"architecture": "ngram"}).adapt == (KIND, "model.order")
    assert KIND not in load_recipe("default", {"vocabulary_limit": "300"}).adapt  # a limit for words
    assert load_recipe("lyricist").adapt == ()


def test_only_what_can_be_chosen_can_be_left_open(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('adapt = ["model.layers"]\n', "utf-8")
    with pytest.raises(
        genrun.OptionError,
        match=r"'adapt' must be true or false, or a list of tokenizer\.kind, model\.",
    ):
        load_recipe(str(path))


def test_the_warm_up_goes_by_the_epochs_that_are_given() -> None:
    headlines = CorpusSize(76_000, 8_600, 11_000, samples=True)
    chosen, short = choose_sizes(headlines), choose_sizes(headlines, epochs=1)
    assert short["training.epochs"] == 1
    assert 0 < short["training.warmup_steps"] < chosen["training.warmup_steps"]


def test_adapting_can_be_switched_off() -> None:
    assert load_recipe("default", {"adapt": "false"}).adapt == ()
    with pytest.raises(genrun.OptionError, match="adapt must be true or false, not 'maybe'"):
        load_recipe("default", {"adapt": "maybe"})


def test_what_counts_is_how_much_is_predicted_not_how_many_documents_there_are() -> None:
    lines, book = (choose_sizes(CorpusSize(100_000, documents, 9_000)) for documents in (10_000, 1))
    running = choose_sizes(CorpusSize(100_000, 10_000, 9_000, running_text=True))
    same = "model.hidden_size", "model.dropout", "training.epochs"
    assert all(lines[name] == book[name] == running[name] for name in same)
    for chosen, length in ((lines, 10), (book, 64), (running, 64)):
        tokens = min(chosen["training.sequence_length"], length) * chosen["training.batch_size"]
        assert 200 < tokens < 500
