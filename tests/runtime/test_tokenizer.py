"""The tokenizer: unknown words, special tokens, prompts, and the way back to text."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.errors import OptionError
from genrun.tokenizer import CASINGS, Normalization, Tokenizer
from genrun.tokenizer.tokenizer import WrittenForms
from support.alphabet import SPECIALS, letters, words

PLAIN = words("one", "two", "three")


def test_known_words_become_ids_and_unknown_ones_unk() -> None:
    encoding = PLAIN.encode("two nine one ten")
    assert encoding.ids == (5, 1, 4, 1)
    assert encoding.pieces == ("two", "nine", "one", "ten")
    assert encoding.unknown == ("nine", "ten")


def test_without_unk_unknown_words_are_left_out_and_named() -> None:
    encoding = words("one", "two", specials=["pad"]).encode("two nine one")
    assert (encoding.ids, encoding.unknown) == ((2, 1), ("nine",))


def test_the_text_unk_in_a_document_is_the_unknown_token_and_no_unknown_word() -> None:
    encoding = PLAIN.encode("one <unk> two")
    assert (encoding.ids, encoding.unknown) == ((4, 1, 5), ())


@pytest.mark.parametrize("mark", ["<pad>", "<start>", "<end>"])
def test_other_special_texts_in_a_document_are_never_the_special_tokens(mark: str) -> None:
    encoding = PLAIN.encode(f"one {mark} two")
    assert (encoding.ids, encoding.unknown) == ((4, 1, 5), (mark,))


@pytest.mark.parametrize(
    ("specials", "document", "prompt"),
    [
        (["pad", "unk", "start", "end"], (2, 4, 3), (2, 4)),
        (["pad", "start"], (1, 2), (1, 2)),
        (["end", "pad"], (2, 1), (2,)),
        (["pad"], (1,), (1,)),
        ([], (0,), (0,)),
    ],
)
def test_documents_and_prompts_are_framed_by_what_is_switched_on(
    specials: list[str], document: tuple[int, ...], prompt: tuple[int, ...]
) -> None:
    tokenizer = words("one", specials=[name for name in SPECIALS if name in specials])
    assert tokenizer.encode_document("one").ids == document
    assert tokenizer.encode_prompt("one").ids == prompt


def test_the_order_in_which_specials_are_named_does_not_matter() -> None:
    tokenizer = Tokenizer(kind="word", vocabulary=["<pad>", "<end>", "a"], specials=["end", "pad"])
    assert tokenizer.specials == ("pad", "end")
    assert (tokenizer.special("end"), tokenizer.special("start")) == (1, None)


@pytest.mark.parametrize("prompt", ["<start> one", "  <start>one", "one", " \n one "])
def test_a_literal_start_before_a_prompt_is_understood_and_not_needed(prompt: str) -> None:
    assert PLAIN.encode_prompt(prompt).ids == (2, 4)


def test_a_start_inside_a_prompt_is_an_unknown_word() -> None:
    assert PLAIN.encode_prompt("one <start>").unknown == ("<start>",)


def test_an_empty_prompt_begins_with_start() -> None:
    assert PLAIN.encode_prompt("").ids == PLAIN.encode_prompt(" \t").ids == (2,)


@pytest.mark.parametrize("prompt", ["", "  ", "\n"])
def test_an_empty_prompt_without_start_is_refused(prompt: str) -> None:
    with pytest.raises(OptionError, match=r"the prompt is empty .* give at least one word"):
        words("one", specials=["pad"]).encode_prompt(prompt)


def test_a_prompt_of_unknown_words_alone_is_refused_without_unk() -> None:
    with pytest.raises(OptionError, match=r"no word of the prompt 'nine ten' is in the model's vocabulary"):
        words("one", specials=["pad"]).encode_prompt("nine ten")


def test_a_prompt_of_unknown_words_alone_is_accepted_with_unk_or_start() -> None:
    assert PLAIN.encode_prompt("nine ten").ids == (2, 1, 1)
    assert words("one", specials=["start"]).encode_prompt("nine").ids == (0,)


def test_special_tokens_are_never_shown() -> None:
    for casing in CASINGS:
        assert PLAIN.decode([2, 4, 1, 0, 3, 5, 3], casing).lower() == "one two"
        assert PLAIN.decode([0, 1, 2, 3], casing) == ""


def test_casing_corpus_writes_words_as_the_corpus_does() -> None:
    tokenizer = Tokenizer(
        kind="word",
        vocabulary=["<pad>", "the", "nasa", "iphone", "obama"],
        specials=["pad"],
        written=WrittenForms("..U*C", {3: "iPhone"}, capitalize_first=True),
    )
    assert tokenizer.decode([1, 2, 3, 4, 1], "corpus") == "The NASA iPhone Obama the"
    assert tokenizer.decode([1, 2, 3, 4], "none") == "the nasa iphone obama"


def test_prompt_pieces_keep_unknown_words_as_they_were_written() -> None:
    tokenizer = Tokenizer(
        kind="word", vocabulary=["<pad>", "york"], specials=["pad"], written=WrittenForms(".C", {}, False)
    )
    encoding = tokenizer.encode("york xyzzy")
    assert tokenizer.prompt_pieces(encoding, "corpus") == ["York", "xyzzy"]
    assert tokenizer.prompt_pieces(encoding, "none") == ["york", "xyzzy"]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"kind": "syllable"}, "unknown tokenizer kind 'syllable'; accepted: word, char"),
        ({"split_on": "tab"}, "unknown tokenizer split_on 'tab'; accepted: space, whitespace"),
        ({"specials": ["bos"]}, "unknown tokenizer special token 'bos'; accepted: pad, unk, start, end"),
        ({"specials": ["pad", "unk"]}, r"the vocabulary must begin with its special tokens \['<pad>', '<unk>'\]"),
        ({"vocabulary": ["<pad>", "a", "a"]}, "the vocabulary names a token twice"),
        ({"vocabulary": []}, "the vocabulary must begin with its special tokens"),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts: dict[str, object], message: str) -> None:
    fitting: dict[str, object] = {"kind": "word", "vocabulary": ["<pad>", "a"], "specials": ["pad"]}
    with pytest.raises(OptionError, match=message):
        Tokenizer(**{**fitting, **parts})  # type: ignore[arg-type]


@given(st.text(alphabet=string.ascii_lowercase))
def test_characters_survive_encoding_and_decoding(text: str) -> None:
    tokenizer = letters("char")
    encoding = tokenizer.encode_document(text)
    assert encoding.unknown == ()
    assert tokenizer.decode(encoding.ids) == text


@given(st.text())
def test_any_text_survives_a_character_tokenizer_that_knows_its_characters(text: str) -> None:
    tokenizer = Tokenizer(kind="char", vocabulary=["<pad>", *dict.fromkeys(text)], specials=["pad"])
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


@given(st.lists(st.integers(4, 29)))
def test_ids_of_plain_words_survive_decoding_and_encoding(ids: list[int]) -> None:
    tokenizer = letters("word")
    assert tokenizer.encode(tokenizer.decode(ids)).ids == tuple(ids)


@given(st.text(), st.sampled_from(["word", "char"]))
def test_every_piece_is_either_known_or_named_as_unknown(text: str, kind: str) -> None:
    tokenizer = letters(kind)
    encoding = tokenizer.encode(text)
    assert len(encoding.ids) == len(encoding.pieces)
    assert encoding.ids.count(1) == len(encoding.unknown) + encoding.pieces.count("<unk>")


@given(st.lists(st.integers(0, 11)), st.sampled_from(CASINGS), st.integers(0, 20))
def test_the_text_of_fewer_tokens_begins_the_text_of_more(ids: list[int], casing: str, cut: int) -> None:
    tokenizer = words("don’t", "stop", ",", '"', "“", "”", "$", "!")
    assert tokenizer.decode(ids, casing).startswith(tokenizer.decode(ids[:cut], casing))


def test_normalization_comes_before_splitting() -> None:
    tokenizer = Tokenizer(
        kind="word",
        vocabulary=["<pad>", "hi", "!"],
        specials=["pad"],
        normalization=Normalization([{"step": "lowercase"}, {"step": "isolate", "characters": "!"}]),
    )
    assert tokenizer.encode("HI!").ids == (1, 2)
    assert tokenizer.decode([1, 2]) == "hi!"


@pytest.mark.parametrize("wrong", [7, 10**30, -1, -7])
def test_ids_outside_the_vocabulary_are_refused(wrong: int) -> None:
    for casing in CASINGS:
        with pytest.raises(OptionError, match=f"token id {wrong} is outside the vocabulary of 7"):
            PLAIN.decode([4, wrong, 5], casing)


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ("<start> ada", "ada"),
        ("<start>ada", "ada"),
        ("  <start> ada", "ada"),
        ("<start>  ada", " ada"),  # one space is the mark's, the second one the text's
        ("<start>", ""),
        ("<start> ", ""),
        ("ada", "ada"),
        (" ada", " ada"),
    ],
)
def test_a_start_takes_one_space_along_in_a_text_of_characters(prompt: str, pieces: str) -> None:
    encoding = letters("char").encode_prompt(prompt)
    assert encoding.pieces == tuple(pieces)
    assert encoding.ids[0] == 2
