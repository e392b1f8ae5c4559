"""From documents to a vocabulary: the order, the limits, the special tokens, and how words are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.errors import OptionError
from genrun.tokenizer import Tokenizer, TokenizerSettings, VocabularyBuilder

LOWERCASE = ({"step": "lowercase"},)


def build(settings: TokenizerSettings, *documents: str) -> Tokenizer:
    builder = VocabularyBuilder(settings)
    for document in documents:
        builder.add(document)
    return builder.build()


def vocabulary(*documents: str, specials: tuple[str, ...] = ("pad",), limit: int = 0, least: int = 1) -> list[str]:
    settings = TokenizerSettings(specials=specials, vocabulary_limit=limit, minimum_count=least)
    return list(build(settings, *documents).vocabulary)


def test_words_stand_by_falling_frequency_ties_by_first_appearance() -> None:
    assert vocabulary("c b a", "b a d", "b") == ["<pad>", "b", "a", "c", "d"]


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=8).map(" ".join), max_size=8))
def test_the_order_is_that_of_a_stable_sort_by_count(documents: list[str]) -> None:
    words = " ".join(documents).split()
    counts = Counter(words)
    expected = sorted(dict.fromkeys(words), key=lambda word: (-counts[word], words.index(word)))
    assert vocabulary(*documents) == ["<pad>", *expected]


def test_specials_come_first_in_one_order_and_can_be_switched_off() -> None:
    assert vocabulary("a", specials=("end", "unk", "pad", "start")) == ["<pad>", "<unk>", "<start>", "<end>", "a"]
    assert vocabulary("a", specials=("end",)) == ["<end>", "a"]
    assert vocabulary("a", specials=()) == ["a"]


def test_the_limit_counts_all_entries_but_padding() -> None:
    assert vocabulary("a b c d", limit=2) == ["<pad>", "a", "b"]
    assert vocabulary("a b c d", limit=2, specials=("pad", "unk")) == ["<pad>", "<unk>", "a"]
    assert vocabulary("a b c d", limit=9) == ["<pad>", "a", "b", "c", "d"]


def test_rare_words_are_left_out() -> None:
    assert vocabulary("a b c", "b c", "c", least=2) == ["<pad>", "c", "b"]
    assert vocabulary("a b c", "b c", "c", least=2, limit=1) == ["<pad>", "c"]


def test_special_texts_in_documents_do_not_become_words() -> None:
    specials = ("pad", "unk", "start", "end")
    assert vocabulary("<start> a <unk> <end>", "<pad>", specials=specials)[4:] == ["a"]


def test_documents_and_words_are_counted() -> None:
    builder = VocabularyBuilder(TokenizerSettings())
    for document in ("a b a", "", "b"):
        builder.add(document)
    builder.build()
    assert (builder.documents, builder.words, builder.distinct) == (3, 4, 2)


def test_no_documents_make_a_vocabulary_of_special_tokens() -> None:
    assert vocabulary() == ["<pad>"]


def test_characters_are_counted_one_by_one_spaces_included() -> None:
    tokenizer = build(TokenizerSettings(kind="char", specials=("pad",)), "aba b")
    assert tokenizer.vocabulary == ("<pad>", "a", "b", " ")
    assert tokenizer.decode(tokenizer.encode("ab ba").ids) == "ab ba"


def test_the_usual_way_of_writing_a_word_is_learnt() -> None:
    settings = TokenizerSettings(specials=("pad",), normalization=LOWERCASE)
    documents = (
        "The mayor of New York sees NASA and the iPhone",
        "The New York mayor likes the iPhone",
        "In the new year NASA flies",
    )
    tokenizer = build(settings, *documents)
    text = "the mayor of new york sees nasa and the iphone"
    ids = tokenizer.encode(text).ids
    assert tokenizer.decode(ids) == text
    assert tokenizer.decode(ids, "corpus") == "The mayor of New York sees NASA and the iPhone"


def test_documents_that_begin_in_lower_case_are_not_capitalized() -> None:
    tokenizer = build(TokenizerSettings(specials=("pad",), normalization=LOWERCASE), "i like Paris", "paris is Far")
    assert tokenizer.decode(tokenizer.encode("i like far").ids, "corpus") == "i like Far"


def cased(*documents: str, steps: tuple[dict[str, str], ...] = ()) -> Callable[[str], str]:
    """Return what writes lower-cased words as ``documents`` do within a sentence."""
    tokenizer = build(TokenizerSettings(specials=("pad",), normalization=(*LOWERCASE, *steps)), *documents, "x")
    return lambda text: tokenizer.decode(tokenizer.encode(f"x {text}").ids, "corpus").split(" ", 1)[1]


def test_how_a_word_is_written_is_learnt_from_its_places_within_sentences() -> None:
    lines = ["And so it went on"] * 9 + ["he and she"]
    assert cased(*lines)("and so") == "and so"
    marks = ({"step": "isolate", "characters": ".!?…“”"},)
    texts = ["It ends. But why? But how! But no… But “But yes", "“But so", "one but two"]
    assert cased(*texts, steps=marks)("so but") == "so but"


def test_without_such_places_it_is_learnt_from_the_beginnings() -> None:
    assert cased("Paris", "Paris", "paris")("paris") == "Paris"
    assert cased("Is it. Rome", "Rome it.", "it ROME")("rome") == "ROME"


def test_words_of_other_letters_are_learnt_by_position_too() -> None:
    assert cased("Élan ist gut", "Élan ist da", "mit élan")("élan") == "élan"
    assert cased("é And so", "And so", "And", "é And", "so and", "and and")("and") == "and"


def test_a_tie_between_ways_of_writing_goes_to_the_plain_one() -> None:
    tokenizer = build(TokenizerSettings(specials=("pad",), normalization=LOWERCASE), "x may", "x May")
    assert tokenizer.decode(tokenizer.encode("x may").ids, "corpus") == "x may"


def test_letters_whose_lower_case_is_longer_do_not_confuse_the_learning() -> None:
    settings = TokenizerSettings(
        specials=("pad",),
        normalization=({"step": "lowercase"}, {"step": "isolate", "characters": "\u0307"}),
    )
    tokenizer = build(settings, "İSTANBUL Is Big")  # lower-cased it has one character, and one word, more
    assert tokenizer.vocabulary == ("<pad>", "i", "\u0307", "stanbul", "is", "big")
    assert tokenizer.decode([4, 5], "corpus") == "is big"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "byte"}, "tokenizer kind must be one of word, char, bpe, not 'byte'"),
        ({"split_on": ""}, "split_on must be one of space, whitespace, not ''"),
        ({"vocabulary_limit": -1}, "vocabulary_limit must be 0"),
        ({"minimum_count": 0}, "minimum_count 1 or more"),
        ({"specials": ("mask",)}, "unknown tokenizer special token 'mask'"),
        ({"vocabulary_limit": 3}, "vocabulary_limit 3 leaves no room for words beside the special tokens"),
        ({"normalization": ({"step": "stem"},)}, "unknown normalization step 'stem'"),
    ],
)
def test_settings_are_checked_when_they_are_made(changes: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        TokenizerSettings(**changes)  # type: ignore[arg-type]
