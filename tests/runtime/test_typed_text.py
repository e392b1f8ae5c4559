"""Which words of a text that is being typed are finished, and what the last one may become."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.suggesting.typed_text import PrefixIndex, TypedText, TypedTextReader
from genrun.tokenizer import Normalization, Tokenizer
from support.alphabet import letters

WORDS = ("the", "then", "don’t", "1,000", ",", "’", "café")
LOWER = {"step": "lowercase"}
EDGES = {"step": "isolate_edges", "leading": "“(", "trailing": "”’),.!"}
alike = st.text(st.sampled_from("ab\uffff\U0010ffff"), max_size=4)


def reader(*steps: dict[str, str], words: tuple[str, ...] = WORDS, split_on: str = "whitespace") -> TypedTextReader:
    tokenizer = Tokenizer(
        kind="word", vocabulary=words, specials=[], normalization=Normalization(steps), split_on=split_on
    )
    return TypedTextReader(tokenizer, range(len(words)))


@given(st.lists(alike, unique=True), alike)
def test_the_index_finds_the_words_that_begin_so_in_alphabetical_order(words: list[str], prefix: str) -> None:
    found = PrefixIndex(words, range(len(words))).starting_with(prefix).tolist()
    assert [words[token] for token in found] == sorted(word for word in words if word.startswith(prefix))


def test_the_index_knows_only_the_entries_it_is_given() -> None:
    index = PrefixIndex(["<pad>", "ab", "a"], [2])
    assert index.starting_with("").tolist() == [2]
    assert PrefixIndex(["a"], []).starting_with("a").tolist() == []


def test_what_the_index_hands_out_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        PrefixIndex(["a"], [0]).starting_with("a")[0] = 7


@pytest.mark.parametrize(
    ("text", "pieces", "unfinished"),
    [
        ("", "", ""),
        ("  ", "", ""),
        ("the", "", "the"),
        ("the ", "the", ""),
        ("the\n", "the", ""),
        ("the th", "the", "th"),
        ("the xy", "the", "xy"),
        ("<start", "", "<start"),
    ],
)
@pytest.mark.parametrize("steps", [(), (EDGES,), (LOWER, {"step": "strip"}), ({"step": "nfc"},)])
def test_white_space_finishes_a_word(
    steps: tuple[dict[str, str], ...], text: str, pieces: str, unfinished: str
) -> None:
    assert reader(*steps).read(text) == TypedText(tuple(pieces.split()), unfinished)


@pytest.mark.parametrize(
    ("step", "text", "pieces", "unfinished"),
    [
        (EDGES, "the,", "the ,", ""),
        (EDGES, "the, ", "the ,", ""),
        (EDGES, "the (", "the (", ""),
        (EDGES, "the (th", "the (", "th"),
        (EDGES, "the...", "the . . .", ""),
        (EDGES, "a.b", "", "a.b"),
        (EDGES, "a.b.", "a.b .", ""),
        (EDGES, "the don’", "the", "don’"),  # a word of the vocabulary begins so
        (EDGES, "the then’", "the then ’", ""),  # none does
        (EDGES, "1,", "", "1,"),
        (EDGES, "2,", "2 ,", ""),
        ({"step": "isolate", "characters": ",’"}, "the,", "the ,", ""),
        ({"step": "isolate", "characters": ",’"}, "don’", "don ’", ""),
        ({"step": "isolate", "characters": ",’"}, "don’t", "don ’", "t"),
        ({"step": "space_out", "characters": "-,"}, "the-", "the", ""),
        ({"step": "space_out", "characters": "-,"}, "the-th", "the", "th"),
        ({"step": "remove", "characters": ",’"}, "the,", "", "the"),  # as if it had not been typed
        ({"step": "keep", "characters": "then"}, "the2", "the", ""),
        ({"step": "keep", "characters": "then"}, "2the", "", "the"),
        ({"step": "drop_non_ascii"}, "the ’", "the", ""),
        ({"step": "drop_non_ascii"}, "the’", "", "the"),
        ({"step": "nfc"}, "cafe\u0301", "", "café"),
        (LOWER, "THE TH", "the", "th"),
        (LOWER, "the –", "the –", ""),
        (LOWER, "the –th", "the", "–th"),  # no step parts it from a word
        (LOWER, "the ,", "the ,", ""),  # in the vocabulary, but no longer word begins so
        (EDGES, "the ,", "the ,", ""),
        (EDGES, "the ’", "the ’", ""),
        ({"step": "nfc"}, "the –ca", "the", "–ca"),
    ],
)
def test_punctuation_finishes_a_word_where_the_tokenizer_parts_it(
    step: dict[str, str], text: str, pieces: str, unfinished: str
) -> None:
    assert reader(step).read(text) == TypedText(tuple(pieces.split()), unfinished)


def test_only_the_space_finishes_a_word_where_words_are_split_on_spaces_alone() -> None:
    assert reader(split_on="space").read("the\t") == TypedText((), "the\t")
    assert reader(split_on="space").read("the ") == TypedText(("the",), "")


@given(st.text("the, ’.don", max_size=12))
def test_the_finished_words_and_the_unfinished_one_are_those_of_the_text(text: str) -> None:
    typed = reader(LOWER, EDGES).read(text)
    pieces = tuple(reader(LOWER, EDGES)._tokenizer.split(text))
    assert "".join([*typed.pieces, typed.unfinished]) == "".join(pieces)
    assert typed.pieces == pieces[: len(typed.pieces)]
    assert len(pieces) - len(typed.pieces) <= 1 or typed.unfinished.endswith("’")  # “don ’” may become “don’t”
    if text.endswith(" "):
        assert typed == TypedText(pieces, "")


def test_without_a_character_to_try_every_word_is_finished() -> None:
    marks = reader({"step": "space_out", "characters": "the"}, words=("the", "then"))
    assert marks.read("a b") == TypedText(("a", "b"), "")


def test_characters_are_always_finished() -> None:
    assert TypedTextReader(letters(), range(4, 30)).read("ab") == TypedText(("a", "b"), "")


def test_a_start_that_opens_the_text_is_understood() -> None:
    typed = TypedTextReader(letters("word"), range(4, 30))
    assert typed.read("<start> a b") == TypedText(("a",), "b")
    assert typed.read("<start>") == TypedText((), "")
    assert reader().read("<start> a") == TypedText(("<start>",), "a")  # a model without start
