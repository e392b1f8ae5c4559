"""Subwords: any text comes back exactly, long words take no long time, and damaged vocabularies are refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.errors import OptionError, PromptError
from genrun.tokenizer import TokenizerSettings, VocabularyBuilder
from genrun.tokenizer.building.extension import extended
from genrun.tokenizer.subwords.byte_letters import LETTERS, bytes_of, letters_of
from genrun.tokenizer.subwords.encoder import Merge, SubwordEncoder
from support.subwords import chain, subwords

PLAIN = subwords(*chain(" the", " then", " president", " 今天", "今天"))
texts = st.text(st.one_of(st.sampled_from(" \n\rthepn'’.今天€"), st.characters(codec="utf-8")))


@given(texts)
def test_any_text_comes_back_exactly(text: str) -> None:
    encoding = PLAIN.encode(text)
    assert PLAIN.decode(encoding.ids) == text
    assert encoding.unknown == ()


@given(texts)
def test_with_normalization_the_normalized_text_comes_back(text: str) -> None:
    tokenizer = subwords(*chain(" the"), normalization=[{"step": "nfc"}, {"step": "lowercase"}])
    assert tokenizer.decode(tokenizer.encode(text).ids) == tokenizer.normalization(text)


@given(st.binary())
def test_bytes_have_letters_and_letters_bytes(data: bytes) -> None:
    assert bytes_of(letters_of(data)) == data
    assert len(set(LETTERS)) == 256
    assert not any(letter.isspace() for letter in LETTERS)


@given(st.lists(st.integers(3, len(PLAIN) - 1)))
def test_any_ids_are_a_text_streamed_or_not(ids: list[int]) -> None:
    whole = PLAIN.decode(ids)
    written = PLAIN.detokenizer()
    pieces = [written.push(PLAIN.piece(token)) for token in ids]
    assert "".join(pieces) + written.finish() == whole


def test_no_piece_of_a_stream_is_half_a_character() -> None:
    tokenizer, written = subwords(), subwords().detokenizer()
    pieces = [written.push(tokenizer.piece(token)) for token in tokenizer.encode("né 今").ids]
    assert pieces == ["", "n", "", "é", " ", "", "", "今"]


def test_bytes_that_are_no_text_become_a_mark_at_the_end_or_where_a_character_breaks_off() -> None:
    tokenizer = subwords()
    half = tokenizer.encode("今").ids[:2]
    assert tokenizer.decode(half) == "\ufffd"
    assert tokenizer.decode([*half, *tokenizer.encode("a").ids]) == "\ufffd a"


def slowly_merged(text: str, ranks: dict[tuple[str, str], int]) -> list[str]:
    """Byte pair encoding as its paper says it: search all neighbours for the first merge, again and again."""
    tokens = list(letters_of(text.encode()))
    while True:
        found = min((ranks.get(pair, 999_999), at) for at, pair in enumerate([*pairwise(tokens), ("", "")]))
        if found[0] == 999_999:
            return tokens
        tokens[found[1] : found[1] + 2] = ["".join(tokens[found[1] : found[1] + 2])]


letters = st.sampled_from("abc")


@st.composite
def merges(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Merges of a, b and c whose parts exist before them."""
    known, made = ["a", "b", "c"], dict[tuple[str, str], None]()
    for _ in range(draw(st.integers(0, 12))):
        pair = draw(st.sampled_from(known)), draw(st.sampled_from(known))
        if pair not in made:
            made[pair] = None
            known.append("".join(pair))
    return list(made)


@given(merges(), st.text(letters, max_size=120))
def test_merges_apply_in_their_order_the_leftmost_first(learnt: list[tuple[str, str]], text: str) -> None:
    tokenizer = subwords(*learnt)
    ranks = {pair: rank for rank, pair in enumerate(learnt)}
    found = [tokenizer.vocabulary[token] for token in tokenizer.encode_pieces([text]).ids] if text else []
    assert found == (slowly_merged(text, ranks) if text else [])


def test_a_word_of_a_million_letters_is_encoded() -> None:
    tokenizer = subwords(("a", "b"), ("ab", "ab"))
    assert len(tokenizer.encode_pieces(["ab" * 500_000]).ids) == 250_000


def test_few_pieces_are_kept_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genrun.tokenizer.subwords.encoder._KEPT", 8)
    encoder = SubwordEncoder(LETTERS, 0, [])
    for number in range(100):
        ids, _ = encoder.encode([str(number), "long" * 99])
        assert len(ids) == len(str(number)) + 396
        assert len(encoder._kept) <= 8


@pytest.mark.parametrize("call", ["encode", "encode_document", "encode_prompt"])
def test_half_a_character_is_refused_in_one_line(call: str) -> None:
    with pytest.raises(OptionError, match=r"^.* holds half a character \(a lone surrogate\)$"):
        getattr(PLAIN, call)("\ud800")


def test_a_start_before_a_prompt_is_understood_and_not_needed() -> None:
    assert PLAIN.encode_prompt("<start> the").ids == PLAIN.encode_prompt("the").ids
    assert PLAIN.encode_prompt("").ids == (1,)
    with pytest.raises(PromptError, match="the prompt is empty and this model has no <start>"):
        subwords(specials=["pad"]).encode_prompt("")


def test_the_texts_of_special_tokens_are_never_special_tokens() -> None:
    assert min(PLAIN.encode("<pad> <start> <end>").ids) >= 3
    assert PLAIN.decode(PLAIN.encode("<end>").ids) == "<end>"


@pytest.mark.parametrize(
    ("casing", "text"),
    [
        ("none", "the iPhone. é the"),
        ("corpus", "the iPhone. é the"),
        ("title", "The IPhone. É The"),
        ("sentence", "The iPhone. É the"),
        ("upper", "THE IPHONE. É THE"),
    ],
)
def test_a_casing_changes_whole_texts(casing: str, text: str) -> None:
    assert PLAIN.decode(PLAIN.encode("the iPhone. é the").ids, casing) == text


def test_a_builder_has_merges_learnt_from_counted_pieces() -> None:
    asked: list[object] = []

    def learn(counts: Iterable[tuple[str, int]], most: int, *, minimum_count: int, length: int) -> list[Merge]:
        asked.append((dict(counts), most, minimum_count, length))
        return [("h", "e"), ("t", "h"), ("t", "he"), ("th", "e")]  # the last two make the same

    settings = TokenizerSettings("bpe", specials=("pad", "start", "end"), vocabulary_limit=300, minimum_count=3)
    with VocabularyBuilder(settings, learn=learn) as builder:
        for document in ("the", "a the\n", ""):
            builder.add(document)
        tokenizer = builder.build()
        counted = builder.words, builder.distinct, builder.documents
    assert asked == [({" the": 2, " a": 1, "\n": 1}, 300 - 256 - 2, 3, 9)]
    assert counted == (4, 3, 3)
    assert tokenizer.vocabulary == ("<pad>", "<start>", "<end>", *LETTERS, "he", "th", "the")
    assert tokenizer.merges == (("h", "e"), ("t", "h"), ("t", "he"), ("th", "e"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"vocabulary_limit": 258}, "vocabulary_limit 258 is too low for subwords: the 256 bytes and .* need 259"),
        (
            {"normalization": ({"step": "isolate_edges", "leading": "“", "trailing": "”"},)},
            "the normalization step 'isolate_edges' is for words; subwords keep a text as it is spaced",
        ),
    ],
)
def test_settings_that_subwords_cannot_have_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        TokenizerSettings(kind="bpe", **settings)


def test_subwords_are_not_learnt_without_a_training() -> None:
    with VocabularyBuilder(TokenizerSettings(kind="bpe")) as builder:
        builder.add("the")
        with pytest.raises(OptionError, match="subwords are learnt by genrun train"):
            builder.build()


def test_no_words_are_added_to_subwords() -> None:
    assert extended(PLAIN, PLAIN, 0) is PLAIN
    with pytest.raises(OptionError, match="subwords need no new words"):
        extended(PLAIN, PLAIN, 5)


def forms(ids: Sequence[int]) -> list[str]:
    return [PLAIN.vocabulary[token] for token in ids]


@pytest.mark.parametrize(
    ("prompt", "finished", "opened"),
    [
        ("the pres", ["Ġthe"], ["Ġpres"]),  # Ġpresident
        ("the ", ["Ġthe"], ["Ġ"]),  # Ġthe
        ("the", [], ["Ġthe"]),  # Ġthen
        ("president", ["Ġpresident"], []),  # nothing else begins so
        ("pres, x", ["Ġpres", ",", "Ġ", "x"], []),
        ("presq", ["Ġpres", "q"], []),
        ("the\n", ["Ġthe", "Ċ"], []),
    ],
)
def test_the_end_of_a_prompt_is_open_where_a_longer_subword_begins_so(
    prompt: str, finished: list[str], opened: list[str]
) -> None:
    ids, rest = PLAIN.open_end(PLAIN.encode_prompt(prompt))
    assert (forms(ids), forms(rest)) == (["<start>", *finished], opened)


def test_one_subword_at_least_is_finished() -> None:
    tokenizer = subwords(*chain(" then"), specials=["pad"])
    ids, rest = tokenizer.open_end(tokenizer.encode_prompt("the"))
    assert ([tokenizer.vocabulary[token] for token in ids], rest) == (["Ġthe"], ())
