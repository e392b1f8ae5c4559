"""Measures of texts: exact figures on texts written by hand, and what holds for any text."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.tokenizer.plain_words import words_of
from genrun_core.reporting.texts import measure_texts
from genrun_core.reporting.words import has_doubled_words, has_odd_quotation_marks


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("“Don’t!” SAYS the well-known cat…", ["don't", "says", "the", "well", "known", "cat"]),
        ("rock 'n' roll costs $5", ["rock", "n", "roll", "costs", "5"]),
        ("한국어 문장입니다.", ["한국어", "문장입니다"]),
        ("हिन्दी में लिखना।", ["हिन्दी", "में", "लिखना"]),
        ("日本語、テスト。", ["日", "本", "語", "テ", "ス", "ト"]),
        ("Cafe\u0301 CAFÉ", ["café", "café"]),
        ("…, “ ” — !", []),
        ("", []),
    ],
)
def test_words_are_without_case_and_marks_in_any_script(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize("text", ["the the", "To The the sea", "a  a", "of of of"])
def test_a_doubled_word_is_found_in_any_case(text: str) -> None:
    assert has_doubled_words(text)


@pytest.mark.parametrize("text", ["No, no", "the then", "the cat the cat", "人人", "", "the"])
def test_a_word_that_is_repeated_otherwise_is_not_doubled(text: str) -> None:
    assert not has_doubled_words(text)


@pytest.mark.parametrize(
    "text", ['To "The" Game Of Thrones "', "“open", "shut”", "”back to front“", "„tief", "“a “b”"]
)
def test_a_quotation_mark_without_a_partner_is_odd(text: str) -> None:
    assert has_odd_quotation_marks(text)


@pytest.mark.parametrize("text", ['"a" and "b"', "“a” and “b”", "“a “b””", "„so“ und „so”", "it's ‘fine", ""])
def test_marks_in_pairs_and_apostrophes_are_not_odd(text: str) -> None:
    assert not has_odd_quotation_marks(text)


def test_the_figures_of_a_few_texts() -> None:
    found = measure_texts(["", " ", "One two", "one one THREE", "one two three four five six seven eight", '"a b c'])
    assert dataclasses.asdict(found) == {
        "texts": 6,
        "empty": 2 / 6,
        "very_short": 3 / 6,
        "doubled_words": 1 / 6,
        "odd_quotation_marks": 1 / 6,
        "distinct_1": 11 / 16,
        "distinct_2": 11 / 12,  # one two, twice
        "distinct_3": 1.0,
        "length_5": 0.0,
        "length_median": 2.5,
        "length_95": 8.0,
    }


def test_distinct_runs_are_those_of_the_first_texts() -> None:
    texts = ["a b", "b c", "a b", "a b"]
    assert measure_texts(texts, distinct_of=2).distinct_1 == 3 / 4
    assert measure_texts(texts).distinct_1 == 3 / 8


def test_texts_without_words_have_no_distinct_runs() -> None:
    found = measure_texts(["…", ""])
    assert (found.distinct_1, found.distinct_2, found.distinct_3) == (None, None, None)
    assert (found.empty, found.very_short, found.length_median) == (0.5, 1.0, 0.0)


def test_no_texts_cannot_be_measured() -> None:
    with pytest.raises(ValueError, match="no texts"):
        measure_texts([])


@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
def test_every_list_of_texts_can_be_measured(texts: list[str]) -> None:
    found = measure_texts(texts)
    assert 0 <= found.empty <= found.very_short <= 1
    assert found.length_5 <= found.length_median <= found.length_95
    assert found.distinct_1 is None or 0 < found.distinct_1 <= 1
    assert measure_texts([text.upper().lower() for text in texts]).texts == len(texts)


@given(st.text(alphabet="abc '’\"“”„.,É日", max_size=30))
def test_words_are_the_same_in_upper_case_and_within_quotation_marks(text: str) -> None:
    assert words_of(text.upper()) == words_of(text)
    assert words_of(f"“ {text} ”") == words_of(text)
