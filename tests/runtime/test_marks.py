"""Marks parted from words with the side that was attached: texts come back exactly, and each form is a word."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import genrun
from genrun.errors import OptionError
from genrun.tokenizer import CASINGS, Normalization, Tokenizer, TokenizerSettings, VocabularyBuilder
from genrun.tokenizer.detokenizer import MarkedDetokenizer
from genrun.tokenizer.marks import JOINER
from support.alphabet import SPECIALS, write_model
from support.written import WRITTEN

LEADING, TRAILING = '"“‘«„([{$#¿¡*—–…', '"”’»“‘)]}.,!?;:%*—–…'
MARKS = {"step": "mark_edges", "leading": LEADING, "trailing": TRAILING}
EXACT = [
    *WRITTEN,
    'a " b , c ! d',
    "a – b –c d– —",
    "„Nein“, sagt ‚sie‘",
    '("...") "(a"',
]


def learnt(*documents: str, steps: Sequence[dict[str, str]] = (MARKS,)) -> Tokenizer:
    builder = VocabularyBuilder(TokenizerSettings(normalization=tuple(steps)))
    for document in documents:
        builder.add(document)
    return builder.build()


def shown(pieces: Sequence[str]) -> str:
    return " ".join(pieces).replace(JOINER, "+")


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ('to "the" game', 'to "+ the +" game'),
        ("*nsync", "*+ nsync"),
        ("$$$ working", "$ +$ +$ working"),
        ("head!” he", "head +! +” he"),
        ("well – he –", "well – he –"),
        ("(u.s.) 1,000.", "(+ u.s +. +) 1,000 +."),
        (".net a(b", ".net a(b"),  # inside a word, and on a side where the mark is not parted
        (f"a{JOINER}b {JOINER} ,{JOINER}", "ab ,"),
    ],
)
def test_a_mark_has_a_word_joiner_on_its_attached_side(text: str, pieces: str) -> None:
    assert shown(Normalization([MARKS])(text).split()) == pieces


@pytest.mark.parametrize("text", EXACT)
def test_texts_come_back_exactly(text: str) -> None:
    tokenizer = learnt(text)
    assert tokenizer.decode(tokenizer.encode(text).ids) == text


@given(st.lists(st.text("aé1\"“”(),.!—'’$", min_size=1, max_size=6), max_size=12).map(" ".join))
def test_words_and_marks_at_random_come_back_exactly(text: str) -> None:
    tokenizer = learnt(text)
    assert tokenizer.decode(tokenizer.encode(text).ids) == text
    assert JOINER not in "".join([tokenizer.piece(token) for token in range(len(tokenizer))])


@given(st.text(f'a{JOINER}., "('))
def test_a_text_with_word_joiners_is_the_text_without_them(text: str) -> None:
    plain = Normalization([MARKS])
    assert plain(text).split() == plain(text.replace(JOINER, "")).split()


def test_opening_closing_and_lone_marks_are_three_words() -> None:
    tokenizer = learnt('say "go" now', 'a " b')
    assert {word.replace(JOINER, "+") for word in tokenizer.vocabulary if '"' in word} == {'"+', '+"', '"'}


def test_without_the_step_a_word_joiner_is_a_character_like_any_other() -> None:
    for kind in ("word", "char"):
        tokenizer = Tokenizer(kind=kind, vocabulary=["<pad>", JOINER], specials=["pad"])
        assert tokenizer.piece(1) == tokenizer.decode(tokenizer.encode(JOINER).ids) == JOINER
        assert Tokenizer(kind=kind, vocabulary=["a"], specials=[]).encode(JOINER).unknown == (JOINER,)


def test_a_single_piece_is_shown_without_word_joiners() -> None:
    tokenizer = learnt('say "go" now')
    assert [tokenizer.piece(token) for token in range(4, len(tokenizer))] == ["say", '"', "go", '"', "now"]
    assert tokenizer.encode("stop!").unknown == ("stop", "!")
    assert tokenizer.piece_to_join(5) == '"' + JOINER


@pytest.mark.parametrize(
    ("prompt", "pieces"),
    [
        ('he said "', 'he said "+'),
        ('"', '"+'),
        ('he said ("', 'he said (+ "+'),
        ('he said " ', 'he said "'),  # white space follows: it stands alone
        ('he said"', 'he said +"'),
        ("he said –", "he said –"),  # more often alone than opening
        ("he said .", "he said ."),  # opens nothing
        ("he said (.", "he said ( +."),  # a full stop opens nothing
        ("he said [", "he said [+"),  # not in the corpus
        ("he said ‘", "he said ‘"),  # in the corpus, but never opens
        ("", ""),
    ],
)
def test_a_mark_at_the_end_of_a_prompt_is_what_the_text_says(prompt: str, pieces: str) -> None:
    tokenizer = learnt('he said "go" ("now")', "a – b – c –d ‘", 'a "b"')
    assert shown(tokenizer.encode_prompt(prompt).pieces) == pieces


def test_generating_goes_on_after_an_opening_mark(tmp_path: Path) -> None:
    words = ("he", "said", '"' + JOINER, "go", JOINER + '"', "–")
    marks = [f"<{name}>" for name in SPECIALS]
    tokenizer = Tokenizer(
        kind="word", vocabulary=[*marks, *words], specials=SPECIALS, normalization=Normalization([MARKS])
    )
    model = genrun.load(write_model(tmp_path / "m.onnx", tokenizer), device="cpu")
    whole = 'He  said "go" –'
    for prompt in ("He  said", 'He  said "', 'He  said "go'):
        with pytest.warns(genrun.UnknownWordsWarning):
            assert model.generate(prompt, decoder="greedy") == whole
    assert "".join(model.stream('said "', decoder="greedy")) == 'go" –'
    for text in ("he said ", 'he said "', 'he said "go'):
        assert JOINER not in "".join(suggestion.text for suggestion in model.suggest(text, 9))
    assert model.suggest('he said "', 1)[0].text == "go"
    assert model.suggest("he said ", 1)[0].text == '"'


@given(st.lists(st.sampled_from(["a", "i.b", ".", "!", '"', "“", "—"]), max_size=12).map("".join))
@pytest.mark.parametrize("casing", CASINGS)
def test_pieces_pushed_one_by_one_grow_the_text_that_they_join_to(casing: str, text: str) -> None:
    pieces = Normalization([MARKS])(f"a {text} b").split()
    pushed, joined = MarkedDetokenizer(casing=casing), MarkedDetokenizer(casing=casing)
    assert "".join(map(pushed.push, pieces)) == joined.join(pieces)
    assert joined.push("") == ""


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('"go," she said. "now! (they go.) and then', '"Go," she said. "Now! (They go.) and then'),
        ("„wohin?“ fragt er. …und dann", "„Wohin?“ fragt er. …Und dann"),
        ("the u.s. is late", "The u.s. is late"),
    ],
)
def test_sentences_begin_after_their_opening_marks(text: str, written: str) -> None:
    assert MarkedDetokenizer(casing="sentence").join(Normalization([MARKS])(text).split()) == written


@pytest.mark.parametrize("tail", ["", "a", " a"])
@pytest.mark.parametrize("head", ["", "a", "a "])
@pytest.mark.parametrize("run", ['"', ".", '".'])
def test_a_long_run_of_marks_takes_no_longer_than_its_length(head: str, run: str, tail: str) -> None:
    step = Normalization([MARKS])
    started = time.process_time()
    step(head + run * 100_000 + tail)
    assert time.process_time() - started < 5  # quadratic time would be minutes


def test_characters_and_subwords_stay_as_they_are_spaced() -> None:
    with pytest.raises(OptionError, match="the normalization step 'mark_edges' is for words; subwords"):
        TokenizerSettings(kind="bpe", normalization=(MARKS,))
    characters = TokenizerSettings(kind="char", normalization=({"step": "lowercase"}, MARKS))
    assert characters.normalization == ({"step": "lowercase"},)
