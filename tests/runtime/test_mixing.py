"""Two models of one vocabulary as one: each token has the mixture of both probabilities."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

import genrun
from genrun.errors import OptionError
from genrun.model import Model
from genrun.tokenizer import Tokenizer
from support.alphabet import babble_table, letters, random_drift, words, write_model

WORDS = ("love", "don’t", "stop", "you", "i", ",")


def babbler(path: Path, seed: int, tokenizer: Tokenizer | None = None, **about: Any) -> Model:
    """Return a model of random logits; another seed makes another model of the same words."""
    tokenizer = tokenizer or words(*WORDS)
    drift = random_drift(len(tokenizer), seed)
    settings: dict[str, Any] = {"decoder": "top-k", "options": {"k": 6}, "max_new_tokens": 12, "choosing": True}
    write_model(path, tokenizer, table=babble_table(len(tokenizer), seed), drift=drift, **settings | about)
    return genrun.load(path, device="cpu")


@pytest.fixture(scope="module")
def first(folder: Path) -> Model:
    return babbler(folder / "first.onnx", 1)


@pytest.fixture(scope="module")
def second(folder: Path) -> Model:
    return babbler(folder / "second.onnx", 5, decoder="greedy", options={}, casing="upper")


@pytest.fixture(scope="module")
def mixed(first: Model, second: Model) -> Model:
    return first.mixed_with(second, 0.3)


@given(st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join), st.floats(0.001, 0.999))
@limits(max_examples=25)
def test_each_token_has_the_mixture_of_both_probabilities(
    first: Model, second: Model, text: str, weight: float
) -> None:
    one, other, both = (
        np.exp(model.score(text).token_log_probabilities)
        for model in (first, second, first.mixed_with(second, weight))
    )
    assert both == pytest.approx((1 - weight) * one + weight * other, rel=1e-5)


def test_the_texts_of_a_mixture_are_those_of_neither_model(first: Model, second: Model, mixed: Model) -> None:
    asked = ["i", "love , you", ""]
    texts = [[result.text for result in model.generate_many(asked, n=4, seed=7)] for model in (first, second, mixed)]
    assert texts[2] != texts[0]
    assert texts[2] != texts[1]
    assert mixed.defaults == first.defaults


def test_a_text_of_a_mixture_is_the_same_alone_in_a_batch_and_streamed(mixed: Model) -> None:
    asked = ["i", "love , you", "", "stop stop"] * 20
    together = [result.text for result in mixed.generate_many(asked, seed=7)]
    assert together == [result.text for result in mixed.generate_many(asked, seed=7, batch_size=3)]
    assert together[:4] == [mixed.generate(prompt, seed=7) for prompt in asked[:4]]
    assert "i" + "".join(mixed.stream("i", seed=7)) == together[0]
    assert mixed.schedule("i", seed=7).result().text == together[0]


def test_the_logits_of_a_mixture_do_not_depend_on_the_number_of_rows(folder: Path) -> None:
    many = words(*(f"word{number}" for number in range(1200)))
    [one, other] = [babbler(folder / f"many-{seed}.onnx", seed, many) for seed in (1, 2)]
    session = one.mixed_with(other, 0.4)._session
    tokens = np.arange(33)
    together, _ = session.step(tokens, session.initial_states(33))
    for rows in (1, 2, 7):
        alone, _ = session.step(tokens[:rows], session.initial_states(rows))
        assert (alone == together[:rows]).all()


def test_a_mixture_can_be_searched_suggest_and_be_mixed_again(first: Model, second: Model, mixed: Model) -> None:
    best = mixed.generate_many([""], n=3, beam=40)
    assert len(best) == 3
    assert mixed.suggest("i ")[0].probability < 1
    again = mixed.mixed_with(second, 0.5)
    weights = {"first": 0.35, "second": 0.65}
    one, other, found = (np.exp(model.score("i love").token_log_probabilities) for model in (first, second, again))
    assert found == pytest.approx(weights["first"] * one + weights["second"] * other, rel=1e-5)


def test_a_mixture_is_pickled_as_its_models_and_its_digest_is_its_own(
    first: Model, second: Model, mixed: Model
) -> None:
    again = pickle.loads(pickle.dumps(mixed))
    assert again.generate_many(["i"], n=5, seed=7) == mixed.generate_many(["i"], n=5, seed=7)
    digests = {mixed.digest, first.mixed_with(second, 0.31).digest, second.mixed_with(first, 0.3).digest}
    assert len(digests) == 3
    assert genrun.verify(mixed).texts == 0
    assert mixed.card["mixed_with"]["weight"] == 0.3


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (words(*WORDS[:5]), "their vocabularies have 10 and 9 tokens"),
        (words(*WORDS[:5], "!"), r"their vocabularies differ, first in token 9, ',' and '!'"),
        (words(*WORDS).with_end_text("\n"), "their tokenizers differ in end_text"),
    ],
)
def test_models_that_read_a_text_otherwise_are_refused(
    first: Model, tmp_path: Path, other: Tokenizer, message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        first.mixed_with(babbler(tmp_path / "other.onnx", 1, other), 0.5)


def test_characters_and_words_of_the_same_vocabulary_are_refused(tmp_path: Path) -> None:
    [one, other] = [babbler(tmp_path / f"{kind}.onnx", 1, letters(kind)) for kind in ("char", "word")]
    with pytest.raises(OptionError, match="their tokenizers differ in kind, 'char' and 'word'"):
        one.mixed_with(other, 0.5)


@pytest.mark.parametrize("weight", [0, 1, -0.1, float("nan"), True, "0.3"])
def test_a_weight_is_above_0_and_below_1(first: Model, second: Model, weight: Any) -> None:
    with pytest.raises(OptionError, match="the weight of a mixture must be above 0 and below 1"):
        first.mixed_with(second, weight)


def test_a_mixture_of_something_else_is_refused(first: Model) -> None:
    with pytest.raises(OptionError, match=r"a model is mixed with another model, not 'other\.onnx'"):
        first.mixed_with("other.onnx", 0.5)  # type: ignore[arg-type]
