"""Normalization: what each step does, that any text survives it, and which lists are refused."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from genrun.errors import OptionError
from genrun.tokenizer import Normalization
from genrun.tokenizer.normalization import STEPS

any_text = st.text(st.characters())  # lone surrogates included
any_characters = st.text(min_size=1, max_size=8) | st.text("[]^-\\&|~.*+?(){}$ab", min_size=1, max_size=8)


EDGES = {"step": "isolate_edges", "leading": "“(", "trailing": "”),."}


@st.composite
def any_step(draw: st.DrawFn) -> dict[str, str]:
    name = draw(st.sampled_from(sorted(STEPS)))
    return {"step": name, **{field: draw(any_characters) for field in STEPS[name][1]}}


@pytest.mark.parametrize(
    ("step", "text", "normalized"),
    [
        ({"step": "lowercase"}, "ÀB İ ΑΣ", "àb i̇ ας"),
        ({"step": "nfc"}, "e\u0301 \u1112\u1161\u11ab", "é 한"),
        ({"step": "drop_non_ascii"}, "naïve—“yes”\xa0ok", "naveyesok"),
        ({"step": "strip"}, " \t a b\n", "a b"),
        ({"step": "collapse_spaces"}, "a   b  c d\t\te", "a b c d\t\te"),
        ({"step": "remove", "characters": ".-"}, "E.P.A. self-made", "EPA selfmade"),
        ({"step": "space_out", "characters": ".,"}, "a.b,,c", "a b  c"),
        ({"step": "isolate", "characters": "?!"}, "so?!", "so ?  ! "),
        ({"step": "keep", "characters": "abc]^-"}, "a??b^-]xyz c", "a b^-] c"),
        (EDGES, "“(U.S.),” 1,000.", " “ ( U.S . ) , ”  1,000 . "),
        ({"step": "isolate_edges", "leading": "-", "trailing": "-"}, "a-b -c d- -", "a-b  - c d -   - "),
    ],
)
def test_each_step_does_what_its_name_says(step: dict[str, str], text: str, normalized: str) -> None:
    assert Normalization([step])(text) == normalized


def test_steps_are_applied_in_their_order() -> None:
    lower, keep = {"step": "lowercase"}, {"step": "keep", "characters": "abc"}
    assert Normalization([lower, keep])("ABC") == "abc"
    assert Normalization([keep, lower])("ABC") == " "


def test_no_steps_leave_a_text_alone() -> None:
    assert Normalization([])(" Any Text! ") == " Any Text! "


def test_with_case_leaves_out_lowercase_alone() -> None:
    steps = Normalization([{"step": "lowercase"}, {"step": "remove", "characters": "."}])
    assert steps.lowercases
    assert (steps("E.P.A."), steps.with_case("E.P.A.")) == ("epa", "EPA")
    assert not Normalization([{"step": "strip"}]).lowercases


@given(st.lists(any_step(), max_size=5), any_text)
@example([{"step": "keep", "characters": "^]-\\"}], "^]-\\x")
@example([{"step": "isolate_edges", "leading": "[", "trailing": "]&&--||~~"}], "[[a]]")
def test_any_list_of_steps_survives_any_text(steps: list[dict[str, str]], text: str) -> None:
    normalization = Normalization(steps)
    assert isinstance(normalization(text), str)
    assert Normalization(normalization.steps)(text) == normalization(text)


@given(any_characters, any_text)
def test_keep_leaves_nothing_but_its_characters_and_spaces(characters: str, text: str) -> None:
    kept = Normalization([{"step": "keep", "characters": characters}])(text)
    assert set(kept) <= {*characters, " "}
    assert [c for c in kept if c != " "] == [c for c in text if c in characters and c != " "]


@given(any_characters, any_text)
def test_remove_space_out_and_isolate_agree_with_a_loop(characters: str, text: str) -> None:
    removed = "".join(c for c in text if c not in characters)
    spaced = "".join(" " if c in characters else c for c in text)
    isolated = "".join(f" {c} " if c in characters else c for c in text)
    for step, expected in (("remove", removed), ("space_out", spaced), ("isolate", isolated)):
        assert Normalization([{"step": step, "characters": characters}])(text) == expected


@given(st.text())
def test_nfc_gives_one_spelling(text: str) -> None:
    compose = Normalization([{"step": "nfc"}])
    assert compose(unicodedata.normalize("NFD", text)) == compose(text)


@given(st.text("ab,.“” "))
def test_isolate_edges_adds_spaces_and_nothing_else(text: str) -> None:
    parted = Normalization([{"step": "isolate_edges", "leading": "“", "trailing": ",.”"}])(text)
    assert parted.replace(" ", "") == text.replace(" ", "")
    assert not any(word[0] == "“" or word[-1] in ",.”" for word in parted.split() if len(word) > 1)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("lowercase", "a normalization step is a table with a 'step' name, not 'lowercase'"),
        ({}, "a normalization step is a table with a 'step' name"),
        ({"step": 1}, "a normalization step is a table with a 'step' name"),
        ({"step": "lower"}, "unknown normalization step 'lower'; did you mean 'lowercase'"),
        ({"step": "lowercase", "characters": "a"}, r"'lowercase' takes nothing else, not \['characters'\]"),
        ({"step": "keep"}, r"'keep' takes 'characters', not \[\]"),
        ({"step": "keep", "characters": ""}, "'keep': characters must be text of one character or more"),
        ({"step": "keep", "characters": 7}, "'keep': characters must be text of one character or more"),
        ({"step": "isolate_edges", "leading": "a"}, r"takes 'leading' and 'trailing', not \['leading'\]"),
    ],
)
def test_steps_that_are_not_understood_are_refused(step: dict[str, str], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Normalization([step])


EDGES_OF_ALL = Normalization([{"step": "isolate_edges", "leading": "“([", "trailing": "”)].,!?"}])


@pytest.mark.parametrize(
    ("text", "parted"),
    [
        ("...", ". . ."),
        ("“”", "“ ”"),
        ("(?!) [.]", "( ? ! ) [ . ]"),
        ("a “...” b", "a “ . . . ” b"),
        (").(", ") . ("),
        ("a.(b", "a.(b"),
        ("((a))!?", "( ( a ) ) ! ?"),
        (".a", ".a"),  # a full stop leads no word
        ("a“", "a“"),
    ],
)
def test_words_of_punctuation_are_parted_whole(text: str, parted: str) -> None:
    assert " ".join(EDGES_OF_ALL(text).split()) == parted


@given(st.text("“([”)].,!?", min_size=1, max_size=30))
def test_words_of_punctuation_alone_leave_no_two_together(word: str) -> None:
    assert EDGES_OF_ALL(word).split() == list(word)


@pytest.mark.parametrize("tail", ["", "a", " a", "\n"])
@pytest.mark.parametrize("head", ["", "a", "a "])
@pytest.mark.parametrize("character", [".", "(", "(."])
def test_a_long_run_of_punctuation_takes_no_longer_than_its_length(head: str, tail: str, character: str) -> None:
    started = time.process_time()
    EDGES_OF_ALL(head + character * 200_000 + tail)
    assert time.process_time() - started < 5  # quadratic time would be minutes


cased = st.sampled_from(["lowercase", "nfc", "strip", "collapse_spaces", "drop_non_ascii"]).map(lambda s: {"step": s})
sets = st.sampled_from(["!", "aA", "a", "A", ".é", "Kk-", "aéA", "\u0307 "])
lists = st.lists(
    st.one_of(
        cased,
        st.builds(
            lambda name, characters: {"step": name, "characters": characters},
            st.sampled_from(["remove", "space_out", "isolate", "keep"]),
            sets,
        ),
        st.builds(lambda a, b: {"step": "isolate_edges", "leading": a, "trailing": b}, sets, sets),
    ),
    max_size=4,
)


@given(lists, st.text(st.sampled_from("aAbKk!.- \t"), max_size=12))
def test_steps_that_are_blind_for_case_do_the_same_before_and_after_lower_casing(
    steps: list[dict[str, str]], text: str
) -> None:
    normalization = Normalization([*steps, {"step": "lowercase"}, *steps])
    if normalization.case_blind:
        assert normalization.with_case(text).lower() == normalization(text)


@pytest.mark.parametrize(
    ("characters", "blind"), [("!", True), ("aA", True), ("a", False), ("A", False), ("é", True), ("!éB", False)]
)
def test_a_set_that_has_one_case_of_a_letter_is_not_blind(characters: str, blind: bool) -> None:
    steps = [{"step": "lowercase"}, {"step": "keep", "characters": characters}]
    assert Normalization(steps).case_blind is blind
    assert not Normalization(steps[1:]).case_blind


def test_half_a_million_combining_marks_in_a_row_do_not_take_for_ever() -> None:
    """Unicode orders a run of marks in a time that grows with its square: a quarter of an hour for this one."""
    text = "a" + "\u0301\u0316" * 250_000
    made = Normalization([{"step": "nfc"}])(text)
    assert made[0] == "á"
    assert len(made) == len(text) - 1


@given(st.text(alphabet=st.sampled_from("aeu\u0301\u0316\u0308\u1100\u1161가"), max_size=600))
def test_texts_with_runs_of_up_to_128_marks_are_composed_as_unicode_says(text: str) -> None:
    runs = re.findall("[\u0301\u0316\u0308]+", text)
    assume(max(map(len, runs), default=0) < 128)
    assert Normalization([{"step": "nfc"}])(text) == unicodedata.normalize("NFC", text)


def test_steps_that_make_a_text_grow_without_end_are_stopped() -> None:
    spreading = Normalization([{"step": "isolate", "characters": " "}] * 40)
    with pytest.raises(OptionError, match="makes a text more than 16 times as long"):
        spreading("a b " * 1000)
    with pytest.raises(OptionError, match="makes a text more than 16 times as long"):
        spreading.with_case("a b " * 1000)
    assert Normalization([{"step": "isolate", "characters": "!"}])("!" * 5000) == " ! " * 5000


def test_the_number_of_steps_and_of_their_characters_has_a_limit() -> None:
    with pytest.raises(OptionError, match="at most 64 normalization steps, not 65"):
        Normalization([{"step": "strip"}] * 65)
    with pytest.raises(OptionError, match="more than 100,000 characters"):
        Normalization([{"step": "remove", "characters": "x" * 60_000}] * 2)
