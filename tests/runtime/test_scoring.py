"""Scores of texts: against a computation by hand, whatever the batch, and for texts with nothing to predict."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import genrun
from genrun.errors import ModelFileError, OptionError
from genrun.model import Model
from genrun.scoring.scores import Score, token_log_probabilities
from support.alphabet import alphabet_table, babble_table, letters, random_drift, words, write_model

WORDS = ["love", "don’t", "stop", ",", ".", "“", "”", "you", "i", "'s"]  # those of the model that babbles
texts = st.lists(st.sampled_from([*WORDS, "xyzzy"]), max_size=7).map(" ".join)


def by_hand(ids: Sequence[int], table: NDArray[np.float32], drift: NDArray[np.float32]) -> list[float]:
    """Return the log-probability of every id but the first, in double precision."""
    found = []
    for position, (before, token) in enumerate(pairwise(ids)):
        logits = [float(a) + position * float(b) for a, b in zip(table[before], drift, strict=True)]
        found.append(logits[token] - math.log(sum(math.exp(value) for value in logits)))
    return found


def babble_weights(model: Model) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    size = len(model.tokenizer)
    drift = random_drift(size)
    drift[3] = 0.2
    return babble_table(size), drift


@given(st.lists(texts, max_size=6))
def test_scores_are_those_computed_by_hand(babble: Model, documents: list[str]) -> None:
    scores = list(babble.score_each(documents))
    assert [score.text for score in scores] == documents
    for score in scores:
        ids = babble.tokenizer.encode_document(score.text).ids
        expected = by_hand(ids, *babble_weights(babble))
        assert score.token_log_probabilities == pytest.approx(expected, abs=1e-4)
        assert score.tokens == len(ids) - 1
        assert score.log_probability == pytest.approx(sum(expected), abs=1e-3)
        assert score.perplexity == pytest.approx(math.exp(-sum(expected) / len(expected)), rel=1e-3)


@given(st.lists(texts, min_size=1, max_size=8), st.integers(1, 9))
def test_the_size_of_the_batch_does_not_matter(babble: Model, documents: list[str], size: int) -> None:
    assert list(babble.score_each(documents, batch_size=size)) == [babble.score(document) for document in documents]


def test_a_sequence_is_scored_as_its_own_steps_say(alphabet: Model) -> None:
    session = alphabet._session
    sequences: list[tuple[int, ...]] = [(2, 4, 5), (), (7,), (2, 29, 3, 3, 9), (4, 5)]
    found = token_log_probabilities(session, sequences)
    assert [len(logs) for logs in found] == [2, 0, 0, 4, 1]
    for ids, logs in zip(sequences, found, strict=True):
        states = session.initial_states(1)
        for position in range(len(ids) - 1):
            logits, states = session.step(np.array([ids[position]]), states)
            row = logits[0].astype(np.float64)
            expected = row[ids[position + 1]] - np.log(np.exp(row).sum())
            assert logs[position] == pytest.approx(expected, abs=1e-5)
    assert token_log_probabilities(session, []) == []


def test_a_likely_text_scores_better_than_an_unlikely_one(alphabet: Model) -> None:
    likely, unlikely = alphabet.score("abcdefghijklmnopqrstuvwxyz"), alphabet.score("aaaaa")
    assert likely.tokens == 27  # every letter and the end
    assert 1 <= likely.perplexity < 1.01
    assert unlikely.perplexity > 100
    assert likely.unknown == unlikely.unknown == ()


def test_unknown_words_are_scored_as_the_unknown_token_or_left_out(babble: Model, letter_words: Model) -> None:
    score = babble.score("i xyzzy you")
    assert (score.tokens, score.unknown) == (4, ("xyzzy",))
    score = letter_words.score("a xyzzy b")
    assert (score.tokens, score.unknown) == (1, ("xyzzy",))
    assert score.token_log_probabilities == letter_words.score("a b").token_log_probabilities


@pytest.mark.parametrize("text", ["", "a", "xyzzy", "  "])
def test_a_text_with_nothing_to_predict_has_no_perplexity(letter_words: Model, text: str) -> None:
    for score in (letter_words.score(text), *letter_words.score_each([text, "a b"], batch_size=2)):
        if score.text == text:
            assert (score.tokens, score.token_log_probabilities, score.log_probability) == (0, (), 0.0)
            assert math.isnan(score.perplexity)
            assert score.to_json()["perplexity"] is None


def test_an_empty_text_of_a_model_with_start_and_end_predicts_the_end(alphabet: Model) -> None:
    assert alphabet.score("").tokens == 1


def test_a_score_can_be_written_as_json(babble: Model) -> None:
    score = babble.score("i xyzzy")
    written = json.loads(json.dumps(score.to_json(), allow_nan=False))
    assert written == {
        "text": "i xyzzy",
        "token_log_probabilities": list(score.token_log_probabilities),
        "unknown": ["xyzzy"],
        "log_probability": score.log_probability,
        "perplexity": score.perplexity,
        "tokens": 3,
    }
    assert isinstance(score, genrun.Score)


def test_what_the_model_holds_for_impossible_has_no_finite_perplexity(tmp_path: Path) -> None:
    tokenizer = letters("char", ["pad"])
    table = alphabet_table(tokenizer, strength=5000.0)
    model = genrun.load(write_model(tmp_path / "m.onnx", tokenizer, table=table), device="cpu")
    score = model.score("az")
    assert score.log_probability == pytest.approx(-5000.0)
    assert score.perplexity == math.inf
    assert json.loads(json.dumps(score.to_json(), allow_nan=False))["perplexity"] is None
    assert Score("x", (-1.0, -1.0), ()).perplexity == pytest.approx(math.e)


def test_texts_are_taken_only_as_fast_as_they_are_used(alphabet: Model) -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "abc"

    scores = alphabet.score_each(endless(), batch_size=3)
    assert [next(scores).text for _ in range(4)] == ["abc"] * 4
    assert taken == 6


def test_one_text_where_many_are_expected_and_what_is_no_text_are_refused(alphabet: Model) -> None:
    wrong: Any
    with pytest.raises(OptionError, match="texts must be a list of texts, not one text"):
        alphabet.score_each("abc")
    for wrong in (3, None, b"abc"):
        with pytest.raises(OptionError, match="the input to score must be text, not "):
            alphabet.score(wrong)
    for wrong in (0, -1, True, 2.0):
        with pytest.raises(OptionError, match="batch_size must be a whole number from 1 to 1,000,000,000, not "):
            alphabet.score_each(["a"], batch_size=wrong)


def test_a_model_of_words_is_scored_by_words(tmp_path: Path) -> None:
    tokenizer = words("one", "two", "three")
    table, drift = babble_table(len(tokenizer)), random_drift(len(tokenizer))
    model = genrun.load(write_model(tmp_path / "m.onnx", tokenizer, table=table, drift=drift), device="cpu")
    score = model.score("three one")
    assert score.token_log_probabilities == pytest.approx(by_hand((2, 6, 4, 3), table, drift), abs=1e-5)


def test_logits_that_are_no_numbers_are_the_models_fault() -> None:
    class NoNumbers:
        path = "model.onnx"

        def initial_states(self, batch: int) -> list[object]:
            return []

        def step(self, tokens: NDArray[np.int64], states: list[object]) -> tuple[NDArray[np.float32], list[object]]:
            return np.full((len(tokens), 5), np.nan, np.float32), states

    with pytest.raises(ModelFileError, match="not numbers"):
        token_log_probabilities(cast(Any, NoNumbers()), [(1, 2, 3)])


def test_a_bad_text_does_not_take_those_before_it_along(tmp_path: Path) -> None:
    model = genrun.load(write_model(tmp_path / "m.onnx", letters()))
    scores = model.score_each(["ab", "bc", cast(str, None), "cd"])
    assert [next(scores).text, next(scores).text] == ["ab", "bc"]
    with pytest.raises(OptionError, match="the input to score must be text, not None"):
        next(scores)


def test_a_start_that_opens_a_text_is_understood_as_in_a_prompt(babble: Model, letter_words: Model) -> None:
    plain, marked = babble.score("i love"), babble.score("<start> i love")
    assert (marked.token_log_probabilities, marked.unknown) == (plain.token_log_probabilities, ())
    assert marked.text == "<start> i love"
    assert letter_words.score("<start> a b").unknown == ("<start>",)  # this model has no start


def test_what_is_impossible_is_null_in_json() -> None:
    score = Score("x", (-math.inf, -1.0), ())
    written = json.loads(json.dumps(score.to_json(), allow_nan=False))
    assert written["token_log_probabilities"] == [None, -1.0]
    assert (written["log_probability"], written["perplexity"]) == (None, None)
