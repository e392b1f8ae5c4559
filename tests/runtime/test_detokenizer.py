"""Pieces back to text: spaces, punctuation, quotation marks, contractions and casing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.errors import OptionError
from genrun.tokenizer import CASINGS, Detokenizer
from genrun.tokenizer.detokenizer import check_casing, title_case

PIECES = [
    "word",
    "don’t",
    "O",
    '"',
    "“",
    "”",
    "(",
    ")",
    ",",
    ".",
    "…",
    "$",
    "5",
    "%",
    "n't",
    "’s",
    "-",
    "",
    "\n",
    "é",
]


def joined(pieces: str, casing: str = "none") -> str:
    return Detokenizer(casing=casing).join(pieces.split(" "))


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ("well , I never ; really : yes", "well, I never; really: yes"),
        ("stop ! what ? no … end .", "stop! what? no… end."),
        ("“ go ” , he said", "“go”, he said"),
        ("she said ‘ hi ’ twice", "she said ‘hi’ twice"),
        ('he said " go now " , twice : " no "', 'he said "go now", twice: "no"'),
        ("the « word » [ sic ] ( so ) { x }", "the «word» [sic] (so) {x}"),
        ("it costs $ 5 , £ 4 or € 3 , up 10 %", "it costs $5, £4 or €3, up 10%"),
        ("# one ¿ qué ? ¡ sí !", "#one ¿qué? ¡sí!"),
        ("I do n't know it 's we 'll you 're they 've I 'd I 'm", "I don't know it's we'll you're they've I'd I'm"),
        ("I do n’t it ’s we ’ll", "I don’t it’s we’ll"),
        ("a - b — c", "a - b — c"),
        ("“ ( $ 5 ) ”", "“($5)”"),
        (". starts oddly", ". starts oddly"),
    ],
)
def test_pieces_join_as_a_person_would_write_them(pieces: str, text: str) -> None:
    assert joined(pieces) == text


@pytest.mark.parametrize(
    ("word", "titled"),
    [
        ("don’t", "Don’t"),
        ("don't", "Don't"),
        ("o’brien’s", "O’brien’s"),
        ("self-expression", "Self-Expression"),
        ("e.p.a.", "E.P.A."),
        ("2nd", "2nd"),
        ("“quoted", "“Quoted"),
        ("and/or", "And/Or"),
        ("iPhone", "IPhone"),
        ("émile", "Émile"),
        ("경마장에", "경마장에"),
        ("", ""),
    ],
)
def test_titles_capitalize_words_and_leave_apostrophes_alone(word: str, titled: str) -> None:
    assert title_case(word) == titled


@pytest.mark.parametrize(
    ("casing", "text"),
    [
        ("none", "so it is. don’t “ask” why! ok"),
        ("title", "So It Is. Don’t “Ask” Why! Ok"),
        ("sentence", "So it is. Don’t “ask” why! Ok"),
        ("upper", "SO IT IS. DON’T “ASK” WHY! OK"),
    ],
)
def test_each_casing_writes_as_it_says(casing: str, text: str) -> None:
    assert joined("so it is . don’t “ ask ” why ! ok", casing) == text


def test_a_sentence_begins_at_its_first_letter() -> None:
    assert joined("“ ( well ) ” … “ no ”", "sentence") == "“(Well)”… “No”"


def test_casing_corpus_begins_sentences_with_a_capital_only_where_the_corpus_does() -> None:
    for capitalize, text in ((True, "Go. Now"), (False, "go. now")):
        pieces = ["go", ".", "now"]
        assert Detokenizer(casing="corpus", capitalize_first=capitalize).join(pieces) == text


def test_characters_are_put_side_by_side() -> None:
    assert Detokenizer(spaced=False).join("so, “it” is\nso") == "so, “it” is\nso"
    assert Detokenizer(spaced=False, casing="title").join("don’t stop\nnow") == "Don’t Stop\nNow"
    assert Detokenizer(spaced=False, casing="sentence").join("so it is. and\nso") == "So it is. And\nSo"
    assert Detokenizer(spaced=False, casing="upper").join("so") == "SO"


def test_empty_pieces_add_nothing_and_change_nothing() -> None:
    plain, with_specials = Detokenizer(casing="sentence"), Detokenizer(casing="sentence")
    assert with_specials.join(["", "so", "", ",", "", "“", "", "it", ""]) == plain.join(["so", ",", "“", "it"])


@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=20),
    st.booleans(),
    st.sampled_from(CASINGS),
    st.booleans(),
)
def test_pieces_pushed_one_by_one_grow_the_text_that_they_join_to(
    pieces: list[str], spaced: bool, casing: str, capitalize: bool
) -> None:
    def fresh() -> Detokenizer:
        return Detokenizer(spaced=spaced, casing=casing, capitalize_first=capitalize)

    streamed, text = fresh(), ""
    for count, piece in enumerate(pieces, 1):
        text += streamed.push(piece)
        assert text == fresh().join(pieces[:count])


@given(st.lists(st.sampled_from(PIECES), max_size=20), st.sampled_from(CASINGS))
def test_joining_adds_spaces_and_capitals_and_nothing_else(pieces: list[str], casing: str) -> None:
    text = Detokenizer(casing=casing).join(pieces)
    assert text.replace(" ", "").lower() == "".join(pieces).lower()
    assert "  " not in text
    assert text == text.strip(" ")


@pytest.mark.parametrize("casing", ["Title", "", "lower", "None"])
def test_an_unknown_casing_is_refused(casing: str) -> None:
    with pytest.raises(OptionError, match=f"unknown casing '{casing}'"):
        check_casing(casing)
    with pytest.raises(OptionError, match="unknown casing"):
        Detokenizer(casing=casing)


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        ("the u.s . and", "The u.s. and"),
        ("the U.S . and", "The U.S. and"),
        ("j . r . smith . then", "J. r. smith. Then"),
        ("so it is . and", "So it is. And"),
        ("the u.s ! and", "The u.s! And"),  # only a full stop belongs to an abbreviation
        ("the u.s ? and", "The u.s? And"),
        ("“ where ? ” asked tom . then", "“Where?” asked tom. Then"),
        ("“ go ! ” he said", "“Go!” he said"),
        ("( really ? ) he said", "(Really?) he said"),
        ("so . ” then", "So.” then"),
        ("iPhone is . iPhone was", "iPhone is. iPhone was"),
        ("McCoy . eBay . it", "McCoy. eBay. It"),
        ("so . . . and", "So... And"),
        ("he said “ go ” . then", "He said “go”. Then"),
        ("he came ( late ) . then", "He came (late). Then"),
        ("in room 5 . then", "In room 5. Then"),
        ("up 10 % . then", "Up 10%. Then"),
        ("so … and", "So… And"),
        ("so . 5 and", "So. 5 and"),
        ("so . — and", "So. — And"),
    ],
)
@pytest.mark.parametrize("casing", ["corpus", "sentence"])
def test_a_sentence_begins_where_a_sentence_ends(casing: str, pieces: str, text: str) -> None:
    assert joined(pieces, casing) == text


def test_characters_know_no_abbreviations() -> None:
    assert Detokenizer(spaced=False, casing="sentence").join("go to b. so") == "Go to b. So"
