"""The two-sample test: near 0.5 for documents of one corpus, near 1 for what anybody could tell."""

from __future__ import annotations

import random
import re
import subprocess
import sys

import pytest

import genrun
from genrun.checks.installation import pip_line
from genrun_core.reporting.two_samples import tell_apart

_WHO = ["the council", "the mayor", "a ferry captain", "our school", "the old baker", "her brother", "the night bus"]
_WHAT = ["votes on", "paints", "closes", "leaves", "repairs", "forgets", "sells", "asks about"]
_WHERE = ["the bridge", "a harbour wall", "the market", "every station", "the river path", "a new ferry"]
_WHEN = ["today", "after the storm", "in may", "again", "for the last time", "at night"]


def headlines(number: int, seed: int) -> list[str]:
    chance = random.Random(seed)
    return [" ".join(map(chance.choice, (_WHO, _WHAT, _WHERE, _WHEN))) for _ in range(number)]


def shuffled(texts: list[str]) -> list[str]:
    chance = random.Random(3)
    return [" ".join(chance.sample(words := text.split(), len(words))) for text in texts]


def test_documents_of_one_corpus_cannot_be_told_apart() -> None:
    auc = tell_apart(headlines(600, seed=1), headlines(600, seed=2))
    assert auc == pytest.approx(0.5, abs=0.05)


def test_shuffled_words_are_told_from_sentences() -> None:
    auc = tell_apart(shuffled(headlines(600, seed=1)), headlines(600, seed=2))
    assert auc is not None
    assert auc > 0.98


def test_a_few_words_too_many_of_one_kind_are_between() -> None:
    texts = [f"{text} indeed" if number % 3 == 0 else text for number, text in enumerate(headlines(600, seed=1))]
    auc = tell_apart(texts, headlines(600, seed=2))
    assert auc == pytest.approx(2 / 3, abs=0.06)  # a third is certain, the rest is a guess


def test_case_and_punctuation_do_not_tell() -> None:
    texts = [f"“{text.title()}!”" for text in headlines(300, seed=1)]
    documents = headlines(300, seed=2)
    assert tell_apart(texts, documents) == tell_apart(headlines(300, seed=1), documents)


def test_the_same_documents_on_both_sides_cannot_be_told_apart() -> None:
    documents = [f"{who} {number}" for number, who in enumerate(headlines(300, seed=1))]
    auc = tell_apart(documents, documents[::-1])
    assert auc is not None
    assert auc < 0.5  # one is learnt from, and its twin is judged
    assert tell_apart(["all alike"] * 100, ["all alike"] * 100) == 0.5


def test_a_model_that_always_says_the_same_is_told_from_documents() -> None:
    auc = tell_apart(["the council votes"] * 300, headlines(300, seed=1))
    assert auc is not None
    assert auc > 0.99


@pytest.mark.parametrize("numbers", [(99, 500), (500, 99), (0, 0)])
def test_with_too_few_of_either_there_is_no_figure(numbers: tuple[int, int]) -> None:
    assert tell_apart(headlines(numbers[0], seed=1), headlines(numbers[1], seed=2)) is None


def test_texts_without_words_cannot_be_told_apart() -> None:
    assert tell_apart([""] * 100, ["…"] * 100) == 0.5


def test_the_first_texts_are_used_equally_many_of_each() -> None:
    documents = headlines(200, seed=2)
    texts = headlines(200, seed=1)
    assert tell_apart([*texts, *shuffled(headlines(800, seed=4))], documents) == tell_apart(texts, documents)


def test_a_missing_scikit_learn_is_one_line_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(genrun.MissingExtraError, match=re.escape(f"needs scikit-learn: {pip_line('train')}")):
        tell_apart(["a"] * 100, ["b"] * 100)


def test_scikit_learn_is_imported_only_where_it_is_needed() -> None:
    code = "import sys, genrun_core.cli.report, genrun_core.reporting.model_report; print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
