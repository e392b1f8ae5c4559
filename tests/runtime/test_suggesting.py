"""Suggested words: against a softmax by hand, completed by prefix, written as the corpus writes them."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import genrun
from genrun.errors import ModelFileError, OptionError
from genrun.loading.opening import MappedFile
from genrun.model import Model
from genrun.results import UnknownWordsWarning
from genrun.suggesting.suggester import Suggestion, likeliest
from genrun.tokenizer import Normalization, Tokenizer
from genrun.tokenizer.tokenizer import WrittenForms
from support.alphabet import SPECIALS, alphabet_table, babble_table, letters, random_drift, words, write_model

WORDS = ("crime", "has", "become", "becomes", "becoming", "the", "then", "nasa", "don’t", ",", ".", "’", "“", "u.s")
FORMS = "....C......U......"  # of the special tokens and the words
STEPS = (
    {"step": "lowercase"},
    {"step": "isolate_edges", "leading": "“(", "trailing": "”’),.!"},
)
EVERY = 99  # more than there are
beginnings = st.lists(st.sampled_from([*WORDS, "xyzzy"]), max_size=6).map(" ".join)


def tokenizer(specials: Sequence[str] = SPECIALS) -> Tokenizer:
    marks = [f"<{name}>" for name in specials]
    return Tokenizer(
        kind="word",
        vocabulary=[*marks, *WORDS],
        specials=specials,
        normalization=Normalization(STEPS),
        written=WrittenForms(FORMS[4 - len(marks) :], None, capitalize_first=True),
    )


def weights(size: int) -> tuple[Any, Any]:
    return babble_table(size), random_drift(size)


@pytest.fixture(scope="module")
def typed(folder: Path) -> Model:
    """Words and marks at random, written as a corpus writes them, with all special tokens."""
    table, drift = weights(len(WORDS) + 4)
    file = write_model(folder / "typed.onnx", tokenizer(), table=table, drift=drift, casing="corpus")
    return genrun.load(file, device="cpu")


@pytest.fixture(scope="module")
def unstarted(folder: Path) -> Model:
    """The same without start, end and unknown."""
    table, drift = weights(len(WORDS) + 1)
    file = write_model(folder / "unstarted.onnx", tokenizer(["pad"]), table=table, drift=drift)
    return genrun.load(file, device="cpu")


def suggest(model: Model, text: str, n: int = EVERY, **choices: Any) -> list[Suggestion]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownWordsWarning)
        return model.suggest(text, n, **choices)


def by_hand(model: Model, ids: Sequence[int], among: Sequence[int]) -> dict[int, float]:
    """Return the softmax over the tokens ``among`` after ``ids``, in double precision."""
    table, drift = weights(len(model.tokenizer))
    logits = {token: float(table[ids[-1], token]) + (len(ids) - 1) * float(drift[token]) for token in among}
    total = sum(math.exp(value) for value in logits.values())
    return {token: math.exp(value) / total for token, value in logits.items()}


def found(suggestions: Sequence[Suggestion]) -> dict[int, float]:
    assert [s.probability for s in suggestions] == sorted((s.probability for s in suggestions), reverse=True)
    return {s.id: s.probability for s in suggestions}


@given(beginnings)
def test_after_a_space_the_suggestions_are_the_softmax_of_the_step(typed: Model, text: str) -> None:
    ids = typed.tokenizer.encode_prompt(text).ids
    expected = by_hand(typed, ids, range(3, len(typed.tokenizer)))  # all words, and the end
    suggestions = suggest(typed, text + " ", end=True)
    assert found(suggestions) == pytest.approx(expected, abs=1e-6)
    assert all(s.completes == "" for s in suggestions)


@given(beginnings)
def test_the_end_takes_its_share_whether_or_not_it_is_offered(typed: Model, text: str) -> None:
    offered, silent = suggest(typed, text + " ", end=True), suggest(typed, text + " ")
    [end] = [s for s in offered if s not in silent]
    assert (end.id, end.text) == (3, "")
    assert [s for s in offered if s != end] == silent
    assert sum(s.probability for s in silent) == pytest.approx(1 - end.probability)


@given(beginnings, st.sampled_from(["b", "be", "become", "becomi", "BECO", "th", "the", "then", "u.", "n"]))
def test_a_half_typed_word_is_completed_from_the_state_before_it(typed: Model, text: str, begun: str) -> None:
    ids = typed.tokenizer.encode_prompt(text).ids
    among = [token for token, word in enumerate(typed.tokenizer.vocabulary) if word.startswith(begun.lower())]
    suggestions = suggest(typed, f"{text} {begun}", end=True)
    assert found(suggestions) == pytest.approx(by_hand(typed, ids, among), abs=1e-6)
    assert sum(s.probability for s in suggestions) == pytest.approx(1)
    assert {s.completes for s in suggestions} == {begun.lower()}


def test_a_whole_word_may_go_on_until_something_follows_it(typed: Model) -> None:
    assert {s.text for s in suggest(typed, "crime has become")} == {"become", "becomes"}
    assert len(suggest(typed, "crime has become ")) == len(WORDS)


def test_punctuation_that_the_tokenizer_parts_finishes_a_word(typed: Model) -> None:
    for text in ("crime,", "crime, ", "crime ,"):
        assert suggest(typed, text) == suggest(typed, "crime , ")
    assert suggest(typed, "u.s.") == suggest(typed, "u.s . ")
    assert [s.text for s in suggest(typed, "crime “don’")] == ["don’t"]


def test_a_word_that_nothing_in_the_vocabulary_begins_like_is_not_completed(typed: Model) -> None:
    assert suggest(typed, "crime xyz") == []
    assert suggest(typed, "crime <un") == []
    assert suggest(typed, "crime <unk>") == []


@given(beginnings, st.integers(1, 12))
def test_n_are_the_first_of_all(typed: Model, text: str, n: int) -> None:
    for suffix in (" ", " b"):
        assert suggest(typed, text + suffix, n) == suggest(typed, text + suffix)[:n]
        assert suggest(typed, text + suffix, n, end=True) == suggest(typed, text + suffix, end=True)[:n]


@given(beginnings, st.sampled_from(["none", "corpus", "title", "sentence", "upper"]))
def test_words_are_written_as_generating_writes_them(typed: Model, text: str, casing: str) -> None:
    pieces = typed.tokenizer.prompt_pieces(typed.tokenizer.encode_prompt(text), casing)
    for suggestion in suggest(typed, text + " ", casing=casing):
        joined = typed.tokenizer.detokenizer(casing)
        joined.join(pieces)
        assert suggestion.text == joined.push(typed.tokenizer.piece(suggestion.id, casing)).strip(" ")


def test_the_casing_is_the_models_own(typed: Model, unstarted: Model) -> None:
    assert {s.text for s in suggest(typed, "th")} == {"The", "Then"}  # begins the text
    assert [s.text for s in suggest(typed, "crime na")] == ["NASA"]
    assert [s.text for s in suggest(unstarted, "crime na")] == ["nasa"]
    assert [s.text for s in suggest(unstarted, "crime na", casing="upper")] == ["NASA"]


def test_what_the_model_never_chooses_is_not_suggested(tmp_path: Path) -> None:
    kept = words("one", "two", "three")
    file = write_model(tmp_path / "m.onnx", kept, table=babble_table(len(kept)))
    metadata = json.loads(MappedFile(file).properties["genrun.generation"])
    metadata["suppressed_ids"] = [3, 5]  # the end, and "two"
    file = write_model(
        tmp_path / "m.onnx",
        kept,
        table=babble_table(len(kept)),
        properties={"genrun.generation": json.dumps(metadata)},
    )
    model = genrun.load(file, device="cpu")
    assert {s.text for s in suggest(model, "one ", end=True)} == {"one", "three"}
    assert sum(s.probability for s in suggest(model, "one ")) == pytest.approx(1)
    assert [s.text for s in suggest(model, "one t")] == ["three"]


def test_unknown_words_are_warned_of_and_seen_as_generating_sees_them(typed: Model, unstarted: Model) -> None:
    with pytest.warns(UnknownWordsWarning, match="not in the model's vocabulary: 'xyzzy'"):
        suggestions = typed.suggest("crime xyzzy ", EVERY)
    assert suggestions == suggest(typed, "crime plugh ")
    assert suggestions != suggest(typed, "crime ")
    assert suggest(unstarted, "crime xyzzy ") == suggest(unstarted, "crime ")  # left out
    typed.suggest("crime xyz")  # a word that is not finished is not reported


def test_a_model_with_start_suggests_first_words(typed: Model) -> None:
    assert suggest(typed, "") == suggest(typed, "<start>") == suggest(typed, "<start> ") == suggest(typed, " ")
    assert len(suggest(typed, "")) == len(WORDS)
    assert [s.text for s in suggest(typed, "c")] == ["Crime"]


@pytest.mark.parametrize("text", ["", " ", "cri", "<start>"])
def test_a_model_without_start_needs_a_finished_word(unstarted: Model, text: str) -> None:
    with pytest.raises(
        OptionError, match=f"the text '{text}' has no finished word to go on from and this model has no"
    ):
        unstarted.suggest(text)
    with pytest.raises(OptionError, match="no finished word of the text 'xyzzy cri' is in the model's vocabulary"):
        unstarted.suggest("xyzzy cri")


def test_a_model_of_characters_suggests_the_next_one(alphabet: Model) -> None:
    [first, *_] = suggest(alphabet, "ab")
    assert (first.text, first.completes) == ("c", "")
    assert first.probability == pytest.approx(math.exp(10) / (math.exp(10) + 26))
    assert suggest(alphabet, "z", 1, end=True)[0].text == ""
    assert suggest(alphabet, "")[0].text == "a"


def test_a_space_is_a_character_too(tmp_path: Path) -> None:
    tokenizer = Tokenizer(kind="char", vocabulary=["a", " "], specials=[])
    model = genrun.load(write_model(tmp_path / "m.onnx", tokenizer, table=alphabet_table(tokenizer)), device="cpu")
    assert suggest(model, "a")[0].text == " "
    assert suggest(model, "a ")[0].text == "a"


def test_of_equal_words_the_one_with_the_lower_id_comes_first(tmp_path: Path) -> None:
    tokenizer = letters("word")
    model = genrun.load(write_model(tmp_path / "m.onnx", tokenizer, table=np.zeros((30, 30))), device="cpu")
    assert [s.text for s in suggest(model, "a ", 3)] == ["a", "b", "c"]
    assert {s.probability for s in suggest(model, "a ")} == {1 / 27}


@given(st.lists(st.sampled_from([-math.inf, -5000.0, -1.0, 0.5, 2.0]), min_size=1, max_size=9), st.integers(1, 9))
def test_the_likeliest_are_the_sorted_possible_ones(values: list[float], n: int) -> None:
    logits = np.array(values, np.float32)
    possible = [token for token in range(len(values)) if values[token] > -math.inf]
    expected = sorted(possible, key=lambda token: (-values[token], token))[:n]
    chosen = likeliest(logits, np.arange(len(values))[::-1], n)
    assert [token for token, _ in chosen] == expected
    if n >= len(possible) > 0:
        assert math.fsum(share for _, share in chosen) == pytest.approx(1)


def test_logits_that_are_no_numbers_are_the_models_fault(tmp_path: Path) -> None:
    tokenizer = letters("word")
    model = genrun.load(write_model(tmp_path / "m.onnx", tokenizer, table=np.full((30, 30), np.nan)), device="cpu")
    with pytest.raises(ModelFileError, match=r"m\.onnx: the model's logits are not numbers"):
        model.suggest("a ")


def test_what_is_not_accepted_is_refused(typed: Model) -> None:
    wrong: Any
    for wrong in (0, -1, True, 2.0):
        with pytest.raises(OptionError, match=f"n must be a whole number from 1 to 1,000,000,000, not {wrong!r}"):
            typed.suggest("crime", wrong)
        with pytest.raises(OptionError, match=f"keep must be a whole number from 1 to 1,000,000,000, not {wrong!r}"):
            typed.typing(keep=wrong)
    for wrong in (3, None, b"crime"):
        with pytest.raises(OptionError, match="the input to suggest must be text, not "):
            typed.suggest(wrong)
    with pytest.raises(OptionError, match="unknown casing 'titel'; did you mean 'title'"):
        typed.suggest("crime", casing="titel")


def test_a_suggestion_can_be_written_as_json(typed: Model) -> None:
    [suggestion] = typed.suggest("crime na")
    assert isinstance(suggestion, genrun.Suggestion)
    written = json.loads(json.dumps(suggestion.to_json()))
    assert written == {"text": "NASA", "probability": 1.0, "id": 11, "completes": "na"}


def test_threads_may_share_the_model(folder: Path, typed: Model) -> None:
    fresh = genrun.load(folder / "typed.onnx", device="cpu")  # whose index is not built yet
    texts = [f"crime {word}"[:length] for word in WORDS for length in range(7, 14)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: suggest(fresh, text), texts))
    assert together == [suggest(typed, text) for text in texts]
