"""The tokenizers of the reference systems R1 to R4, by the recipes that carry them."""

from __future__ import annotations

import itertools
import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from genrun.tokenizer import Tokenizer, TokenizerSettings, VocabularyBuilder
from genrun_core.recipes.recipe import load_recipe

KERAS_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'


def settings_of(recipe: str) -> TokenizerSettings:
    return load_recipe(recipe).tokenizer


def fitted(recipe: str, *documents: str) -> Tokenizer:
    builder = VocabularyBuilder(settings_of(recipe))
    for document in documents:
        builder.add(document)
    return builder.build()


# The reference implementations, written as the tutorials have them.


def headline_words(text: str) -> list[str]:
    lowered = text.lower()
    for character in KERAS_FILTERS:
        lowered = lowered.replace(character, " ")
    return [word for word in lowered.split(" ") if word]


def april_words(text: str) -> list[str]:
    kept = "".join(character for character in text if ord(character) < 128)
    return "".join(character for character in kept if character not in string.punctuation).lower().split()


def lyrics_words(text: str) -> list[str]:
    text = re.sub(r"([?.!,¿])", r" \1 ", text.lower().strip())
    text = re.sub(r"[^a-zA-Z?.!,¿]+", " ", re.sub(r" +", " ", text))
    return text.strip().split()


HEADLINE = "The E.P.A.’s “Self-Expression”\xa0Rules: $1,000 — ¿Dónde? <start>\tİstanbul\n'quoted'"


@given(st.text())
@example(HEADLINE)
def test_r1_splits_as_the_tutorial_does(text: str) -> None:
    assert fitted("nyt-headlines").split(text) == headline_words(text)


@given(st.text())
@example(HEADLINE)
def test_r3_splits_as_the_tutorial_does(text: str) -> None:
    assert fitted("april-2018").split(text) == april_words(text)


@given(st.text())
@example(HEADLINE)
def test_r4_splits_as_the_tutorial_does(text: str) -> None:
    assert fitted("lyricist").split(text) == lyrics_words(text)


@pytest.mark.parametrize("mark", KERAS_FILTERS)
def test_r1_turns_each_mark_into_a_space(mark: str) -> None:
    assert fitted("nyt-headlines").split(f"One{mark}two") == ["one", "two"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("New\xa0York Today", ["new\xa0york", "today"]),
        ("Don’t Say ‘Never’", ["don’t", "say", "‘never’"]),
        ("“Go,” He Said", ["“go", "”", "he", "said"]),
        ("it's rock 'n' roll", ["it's", "rock", "'n'", "roll"]),
        ("a\rb\x0bc d", ["a\rb\x0bc", "d"]),
        ("!?  ", []),
    ],
)
def test_r1_splits_on_the_space_alone_and_keeps_curly_quotes(text: str, words: list[str]) -> None:
    assert fitted("nyt-headlines").split(text) == words


def test_r1_numbers_words_by_frequency_from_1_with_ties_by_first_appearance() -> None:
    tokenizer = fitted("nyt-headlines", "Rise, Fall, Rise!", "A Plan", "a rise")
    assert tokenizer.vocabulary == ("<pad>", "rise", "a", "fall", "plan")
    assert tokenizer.encode_document("A plan: FALL").ids == (2, 4, 3)
    assert tokenizer.special("pad") == 0
    assert tokenizer.special("unk") is None


def test_r1_titles_are_written_with_dont_in_one_piece() -> None:
    tokenizer = fitted("nyt-headlines", "don’t stop the self expression")
    assert tokenizer.decode([1, 2, 3, 4, 5], casing="title") == "Don’t Stop The Self Expression"


def test_r2_has_the_ids_of_the_tutorial() -> None:
    sentences = ("경마장에 있는 말이 뛰고 있다", "그의 말이 법이다", "가는 말이 고와야 오는 말이 곱다")
    tokenizer = fitted("racetrack", *sentences)
    words = ["말이", "경마장에", "있는", "뛰고", "있다", "그의", "법이다", "가는", "고와야", "오는", "곱다"]
    assert tokenizer.vocabulary == ("<pad>", *words)
    assert len(tokenizer) == 12
    assert [tokenizer.encode_document(sentence).ids for sentence in sentences] == [
        (2, 3, 1, 4, 5),
        (6, 1, 7),
        (8, 1, 9, 10, 1, 11),
    ]
    assert [tokenizer.decode(tokenizer.encode(sentence).ids) for sentence in sentences] == list(sentences)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("E.P.A.", ["epa"]),
        ("Self-Expression", ["selfexpression"]),
        ("Don’t Panic — Ever", ["dont", "panic", "ever"]),
        ("Café\tSociety", ["caf", "society"]),
        ("“New\xa0York”", ["newyork"]),
    ],
)
def test_r3_removes_punctuation_and_all_that_is_not_ascii(text: str, words: list[str]) -> None:
    assert fitted("april-2018").split(text) == words


def test_r4_cleans_the_tutorials_sentence_to_the_letter() -> None:
    sentence = "This @_is ;;;sample        sentence."
    tokenizer = fitted("lyricist", sentence)
    assert tokenizer.split(sentence) == ["this", "is", "sample", "sentence", "."]
    ids = tokenizer.encode_document(sentence).ids
    assert [tokenizer.vocabulary[token] for token in ids] == [
        "<start>",
        "this",
        "is",
        "sample",
        "sentence",
        ".",
        "<end>",
    ]
    assert ids == (2, 4, 5, 6, 7, 8, 3)
    assert tokenizer.decode(ids) == "this is sample sentence."


def test_r4_keeps_7000_words_and_padding() -> None:
    distinct = ["".join(letters) for letters in itertools.product(string.ascii_lowercase[:20], repeat=3)]
    assert len(distinct) == 8000
    tokenizer = fitted("lyricist", " ".join(distinct), " ".join(distinct[:10]))
    assert len(tokenizer) == 7001
    assert tokenizer.vocabulary[:5] == ("<pad>", "<unk>", "<start>", "<end>", "aaa")
    # 7,000 with <unk>, <start> and <end> leave room for 6,997 words; the rest is <unk>
    assert tokenizer.encode(f"{distinct[6996]} {distinct[6997]}").ids == (7000, 1)


def test_r4_prompts_may_write_start_as_the_tutorial_does() -> None:
    tokenizer = fitted("lyricist", "He is; I love you!")
    assert tokenizer.encode_prompt("<start> he").ids == tokenizer.encode_prompt("He").ids
    assert tokenizer.encode_prompt("<start> i love").ids == (2, 6, 7)
    assert tokenizer.encode_prompt("<start>").ids == tokenizer.encode_prompt("").ids == (2,)
