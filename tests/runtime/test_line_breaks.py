"""Line breaks as tokens: they survive every normalization, come back in the text, and may stand for an end."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.errors import OptionError
from genrun.tokenizer import Detokenizer, Tokenizer, TokenizerSettings, VocabularyBuilder
from support.alphabet import letters, words
from support.subwords import chain, subwords

CORPUS_STEPS = (
    {"step": "nfc"},
    {"step": "lowercase"},
    {"step": "isolate_edges", "leading": '"', "trailing": '".,'},
)
VERSE = "The sea, the sky,\nThe land.\n\nA gull"


def built(*documents: str, **settings: object) -> Tokenizer:
    chosen = {"normalization": CORPUS_STEPS, "line_breaks": True, **settings}
    builder = VocabularyBuilder(TokenizerSettings(**chosen))  # type: ignore[arg-type]
    for document in documents:
        builder.add(document)
    return builder.build()


@pytest.mark.parametrize("split_on", ["whitespace", "space"])
@pytest.mark.parametrize(
    "steps",
    [
        (),
        ({"step": "strip"},),
        ({"step": "keep", "characters": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"},),
        ({"step": "space_out", "characters": "\t\n,."},),
        ({"step": "remove", "characters": "\n,."},),
    ],
)
def test_no_normalization_loses_a_line_break(steps: tuple[dict[str, str], ...], split_on: str) -> None:
    tokenizer = built(VERSE, normalization=steps, split_on=split_on)
    pieces = tokenizer.encode(VERSE).pieces
    assert pieces.count("\n") == 3
    assert "\n" in tokenizer.vocabulary
    assert not any("\n" in piece for piece in pieces if piece != "\n")


@pytest.mark.parametrize("casing", ["corpus", "sentence"])
def test_verse_comes_back_with_its_lines_and_capitals(casing: str) -> None:
    verse = "Gull and sea and sky,\nLand and gull.\n\nSea and land"
    tokenizer = built(verse)
    assert tokenizer.decode(tokenizer.encode(verse).ids, casing) == verse
    assert tokenizer.decode(tokenizer.encode(verse).ids) == verse.lower()


def test_where_most_lines_go_on_in_lower_case_they_get_no_capital() -> None:
    tokenizer = built("The sea is\nwide and the\nsky is high")
    assert tokenizer.decode(tokenizer.encode("sea\nsky").ids, "corpus") == "sea\nsky"


@pytest.mark.parametrize("breaks", ["\n\n", "\r\n\r\n", "\r\r", "\n\n\n\n", "\n \n\t\n"])
def test_several_blank_lines_are_as_one(breaks: str) -> None:
    tokenizer = built(VERSE)
    assert tokenizer.encode(f"sea{breaks}sky") == tokenizer.encode("sea\n\nsky")


def test_a_line_that_the_normalization_empties_is_a_blank_line() -> None:
    tokenizer = built("a\n***\nb", normalization=({"step": "remove", "characters": "*"},))
    assert tokenizer.encode("a\n***\nb").pieces == ("a", "\n", "\n", "b")


def test_a_prompt_may_end_with_a_line_break() -> None:
    tokenizer = built(VERSE)
    assert tokenizer.encode_prompt("the sea\n").ids[-1] == tokenizer.vocabulary.index("\n")


def test_no_limit_leaves_the_line_break_out() -> None:
    tokenizer = built("a a a b b c\nd", vocabulary_limit=5, minimum_count=2)
    assert tokenizer.vocabulary == ("<pad>", "<unk>", "<start>", "<end>", "\n", "a")


def test_a_corpus_of_lines_has_the_vocabulary_it_has_without_the_option() -> None:
    assert built("b a", "a").vocabulary == built("b a", "a", line_breaks=False).vocabulary


@given(st.lists(st.lists(st.sampled_from(["sea", "sky", "gull", "land"]), min_size=1).map(" ".join), min_size=1))
def test_lines_of_known_words_come_back(lines: list[str]) -> None:
    tokenizer = built("sea sky\ngull land")
    text = "\n".join(lines)
    encoding = tokenizer.encode(text)
    assert tokenizer.decode(encoding.ids) == text
    assert encoding.unknown == ()


@given(st.lists(st.sampled_from(["word", '"', ",", "\n", "\n\n", "(", "„", "“"])), st.sampled_from([1, 2]))
def test_a_text_of_lines_is_the_same_streamed_or_not(pieces: list[str], breaks: int) -> None:
    streamed = Detokenizer(casing="sentence", line_breaks=breaks)
    text = "".join(streamed.push(piece) for piece in pieces)
    assert text == Detokenizer(casing="sentence", line_breaks=breaks).join(pieces)
    assert " \n" not in text
    assert "\n " not in text


def test_a_quotation_goes_on_to_the_next_line_but_not_to_the_next_paragraph() -> None:
    verse = Detokenizer(line_breaks=2)
    assert verse.join(["a", '"', "b", "\n", "c", '"', "d"]) == 'a "b\nc" d'
    paragraphs = Detokenizer(line_breaks=2)
    assert paragraphs.join(["a", '"', "b", "\n", "\n", '"', "c", '"']) == 'a "b\n\n"c"'
    lines = Detokenizer(line_breaks=1)
    assert lines.join(["a", '"', "b", "\n", '"', "c", '"']) == 'a "b\n"c"'


def test_growth_is_bounded_over_all_lines_together() -> None:
    steps = [{"step": "isolate", "characters": "a"}] * 20
    tokenizer = built("a b", normalization=steps)
    with pytest.raises(OptionError, match="more than 16 times as long"):
        tokenizer.encode("aaaa\n" * 4000)


# -- in JSON ---------------------------------------------------------------------------------------------------


def test_line_breaks_come_back_from_json_and_need_a_genrun_that_knows_them() -> None:
    document = built(VERSE).to_json()
    assert (document["version"], document["line_breaks"]) == (3, True)
    restored = Tokenizer.from_json(json.loads(json.dumps(document)))
    assert restored.encode(VERSE) == built(VERSE).encode(VERSE)
    assert restored.to_json() == document
    with pytest.raises(OptionError, match="tokenizer version 1 is not 3"):
        Tokenizer.from_json({**document, "version": 1})


def test_a_tokenizer_without_them_is_written_as_before() -> None:
    document = built(VERSE, line_breaks=False).to_json()
    assert document["version"] == 1
    assert not document.keys() & {"line_breaks", "end_text"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"line_breaks": 1}, "'line_breaks' are true or false"),
        ({"end_text": "stop"}, "'end_text' is empty, a line break, or two"),
        ({"end_text": ["\n"]}, "'end_text' is empty, a line break, or two"),
        ({"end_text": "\n", "specials": ["pad"], "vocabulary": ["<pad>", "a"]}, "which it lacks"),
    ],
)
def test_other_values_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Tokenizer.from_json({**words("a").to_json(), "version": 3, **changes})


# -- <end> with a text -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tokenizer", "text"),
    [
        (words("sea", "sky").with_end_text("\n"), "sea\nsky"),
        (words("sea", "sky", specials=["end"]).with_end_text("\n"), "sea\nsky"),
        (letters().with_end_text("\n"), "sea\nsky"),
        (subwords(*chain(" sea", " sky"), specials=["pad", "start", "end"]).with_end_text("\n"), "sea\nsky"),
    ],
)
def test_a_line_break_in_a_prompt_is_where_one_document_ends_and_the_next_begins(
    tokenizer: Tokenizer, text: str
) -> None:
    first, second = map(tokenizer.encode_document, text.split("\n"))
    end = tokenizer.vocabulary.index("<end>")
    start = list(first.ids[:1]) if "start" in tokenizer.specials else []
    expected = [*first.ids, *second.ids]
    assert [*start, *tokenizer.encode(text).ids, end] == expected
    assert tokenizer.encode(text.replace("\n", "\n\n\n")).ids == tokenizer.encode(text).ids
    assert tokenizer.decode(expected) == f"{text}\n"
    finished, opened = tokenizer.open_end(tokenizer.encode_prompt(f"{text}\n"))
    assert [*finished, *opened][-1 - len(start) :] == [end, *start]


def test_an_end_that_is_a_paragraph_s_leaves_the_line_breaks_of_a_prompt() -> None:
    tokenizer = built(VERSE).with_end_text("\n\n")
    end = tokenizer.vocabulary.index("<end>")
    assert end not in tokenizer.encode(VERSE).ids
    assert tokenizer.decode([*tokenizer.encode("sea").ids, end, *tokenizer.encode("sky").ids]) == "sea\n\nsky"


def test_an_end_with_a_text_comes_back_from_json() -> None:
    tokenizer = words("sea", "sky").with_end_text("\n")
    restored = Tokenizer.from_json(json.loads(json.dumps(tokenizer.to_json())))
    assert restored.encode("sea\nsky") == tokenizer.encode("sea\nsky")
    assert restored.to_json() == tokenizer.to_json()
    assert tokenizer.to_json()["version"] == 3


def test_without_a_text_the_end_is_silent() -> None:
    tokenizer = words("sea", "sky")
    assert tokenizer.decode([4, 3, 5]) == "sea sky"
    assert tokenizer.with_end_text("").to_json() == tokenizer.to_json()
