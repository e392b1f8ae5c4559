"""Prompts of subwords: one may end within a word, and its text is never changed; suggestions complete words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import genrun
from genrun.errors import OptionError, PluginError
from genrun.model import Model
from genrun.tokenizer.subwords.byte_letters import letters_of
from support.alphabet import babble_table, random_drift, write_model
from support.subwords import chain, subwords

TOKENIZER = subwords(*chain(" the", " then", " president", " press", "今天", "!!"))
SIZE = len(TOKENIZER)
PROMPTS = ["", "the", "the pres", "the ", "president", "Xyzzy", "今", "a\n", "!", "the !", "line\n the pr"]

prompts = st.text(st.sampled_from("the prsidn!今天\nx"), max_size=12)


@pytest.fixture(scope="module")
def babbling(folder: Path, choosing: bool) -> Model:
    """Says subwords and bytes at random."""
    table, drift = babble_table(SIZE), random_drift(SIZE)
    path = folder / f"subwords-{choosing}.onnx"
    write_model(path, TOKENIZER, table=table, drift=drift, choosing=choosing, decoder="top-k", options={"k": 9})
    return genrun.load(path, device="cpu")


@pytest.fixture(scope="module")
def telling(folder: Path) -> Model:
    """Says after any subword: “ the”, or less likely “ president”, “ press” or “ p”."""
    table = np.zeros((SIZE, SIZE), np.float32)
    for text, logit in ((" the", 9.0), (" president", 6.0), (" press", 5.0), (" p", 4.0)):
        table[:, TOKENIZER.vocabulary.index(letters_of(text.encode()))] = logit
    return genrun.load(write_model(folder / "telling.onnx", TOKENIZER, table=table), device="cpu")


@given(prompts, st.integers(0, 2**32), st.integers(1, 12))
@settings(max_examples=40)
def test_the_text_begins_with_the_prompt_as_it_was_typed(babbling: Model, prompt: str, seed: int, most: int) -> None:
    [result] = babbling.generate_many([prompt], seed=seed, max_new_tokens=most)
    assert result.text == prompt + result.continuation
    finished, opened = TOKENIZER.open_end(TOKENIZER.encode_prompt(prompt))
    if len(result.ids) >= len(opened):
        assert TOKENIZER.decode([*finished, *result.ids]) == result.text
    assert len(result.ids) <= most


@given(st.lists(prompts, min_size=1, max_size=6), st.integers(0, 2**32), st.integers(1, 5))
@settings(max_examples=25)
def test_a_text_is_the_same_alone_in_a_batch_and_streamed(
    babbling: Model, asked: list[str], seed: int, batch_size: int
) -> None:
    alone = [babbling.generate(prompt, seed=seed) for prompt in asked]
    assert [each.text for each in babbling.generate_many(asked, seed=seed, batch_size=batch_size)] == alone
    assert [prompt + "".join(babbling.stream(prompt, seed=seed)) for prompt in asked] == alone


def test_graph_and_logits_choose_the_same(folder: Path) -> None:
    table, drift = babble_table(SIZE), random_drift(SIZE)
    files = [
        write_model(folder / f"same-{choosing}.onnx", TOKENIZER, table=table, drift=drift, choosing=choosing)
        for choosing in (False, True)
    ]
    found = [
        [each.ids for each in genrun.load(file, device="cpu").generate_many(PROMPTS, n=3, seed=5, decoder="top-k")]
        for file in files
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("the", "the the"),
        ("a", "a the"),
        ("the p", "the president the"),
        ("the pres", "the president the"),
        ("the press", "the press the"),
        ("the presq", "the presq the"),
        ("the ", "the the the"),
        ("Who? pre", "Who? president the"),
    ],
)
def test_a_prompt_that_ends_within_a_word_is_completed(telling: Model, prompt: str, text: str) -> None:
    opened = TOKENIZER.open_end(TOKENIZER.encode_prompt(prompt)).open
    assert telling.generate(prompt, decoder="greedy", max_new_tokens=1 + bool(opened)) == text


def test_the_usual_tokens_of_a_typed_word_may_be_chosen_too(telling: Model) -> None:
    """No subword is “ prey”, so “ pre” may stay, and “ president” must not be forced."""
    drawn = telling.generate_many(["the pre"], n=60, seed=1, decoder="temperature", temperature=3, max_new_tokens=2)
    words = {result.text.split()[1] for result in drawn}
    assert "president" in words
    assert len(words) > 2
    assert all(word.startswith("pre") for word in words)


def test_a_stop_is_found_behind_a_prompt_that_ends_within_a_word(telling: Model) -> None:
    [result] = telling.generate_many(["the pres"], decoder="greedy", stop="ent", max_new_tokens=9)
    assert (result.text, result.finish_reason) == ("the presid", "stop")


def test_pieces_of_a_stream_are_whole_characters(folder: Path) -> None:
    tokenizer = subwords()
    ids = tokenizer.encode("né今").ids
    table = np.zeros((len(tokenizer), len(tokenizer)), np.float32)
    for token, following in zip((1, *ids), (*ids, 2), strict=True):
        table[token, following] = 9
    model = genrun.load(write_model(folder / "bytes.onnx", tokenizer, table=table, max_new_tokens=20), device="cpu")
    assert list(model.stream("", decoder="greedy")) == ["n", "é", "今"]
    assert list(model.stream("", decoder="greedy", max_new_tokens=5)) == ["n", "é", "\ufffd"]
    assert model.generate("", decoder="greedy", max_new_tokens=5) == "né\ufffd"


class Stubborn:
    """Always chooses the same token."""

    def choose(self, logits: object, tokens: object, draws: NDArray[np.float32]) -> NDArray[np.int64]:
        return np.full(len(draws), 50, np.int64)


def test_a_decoder_that_leaves_the_prompt_is_named(telling: Model) -> None:
    with pytest.raises(PluginError, match=r"Stubborn.* chose a token that must not be chosen"):
        telling.generate("the pres", decoder=Stubborn())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the pres", [("president", "pres"), ("press", "pres")]),
        ("the ", [("the", ""), ("president", "")]),
        ("the presq", [("presq", "presq")]),
        ("", [("the", ""), ("president", "")]),
        ("what?", [("the", ""), ("president", "")]),
        ("今", [("今", "今"), ("今天", "今")]),
        ("Then 今", [("今", "今"), ("今天", "今")]),
    ],
)
def test_suggestions_complete_the_last_word(telling: Model, text: str, expected: list[tuple[str, str]]) -> None:
    found = telling.suggest(text, n=2)
    assert [(each.text, each.completes) for each in found] == expected
    assert all(TOKENIZER.vocabulary[each.id] for each in found)
    if expected[0][1] and len(expected) == len(telling.suggest(text, n=99)):
        assert sum(each.probability for each in found) == pytest.approx(1)


def test_suggestions_are_whole_characters_and_may_be_the_end(telling: Model) -> None:
    found = telling.suggest("the ", n=999)
    assert all("\ufffd" not in each.text for each in found)
    assert any(each.id == 2 for each in telling.suggest("what?", n=999, end=True))
    assert not any(each.id == 2 for each in telling.suggest("what?", n=999))


@given(st.lists(prompts, max_size=6))
@settings(max_examples=25)
def test_a_typing_session_suggests_what_the_model_does(babbling: Model, asked: list[str]) -> None:
    typing = babbling.typing(keep=4)
    for text in asked:
        assert typing.suggest(text, n=4) == babbling.suggest(text, n=4)


def test_without_a_start_a_text_must_not_be_empty(folder: Path) -> None:
    tokenizer = subwords(*chain(" the"), specials=["pad"])
    model = genrun.load(write_model(folder / "no-start.onnx", tokenizer), device="cpu")
    with pytest.raises(OptionError, match="the text is empty and this model has no <start>"):
        model.suggest("")
    assert model.suggest("the", n=1)
    assert model.generate("the", max_new_tokens=2).startswith("the")


def test_a_text_is_scored_with_all_its_bytes(telling: Model) -> None:
    score = telling.score("the 今!")
    assert score.unknown == ()
    assert score.tokens == len(TOKENIZER.encode("the 今!").ids) + 1
