"""The growing text: stop texts are found across tokens, cut off, and never shown in part."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.generating.text_stream import TextStream
from genrun.tokenizer import CASINGS
from support.alphabet import letters, words

CHARACTERS = letters("char")


def pieces(text: str, *stops: str, prompt: str = "") -> tuple[list[str], bool]:
    """Return what each letter of ``text`` brings to light, what is held at the end, and whether it stopped."""
    stream = TextStream(CHARACTERS, prompt, casing="none", stops=stops)
    shown = [stream.push(token) for token in CHARACTERS.encode(text).ids]
    return [*shown, stream.finish()], stream.stopped


def test_without_stops_every_token_is_shown_at_once() -> None:
    assert pieces("abc") == (["a", "b", "c", ""], False)


def test_a_stop_across_tokens_is_cut_and_ends_the_text() -> None:
    assert pieces("abcde", "bcd") == (["a", "", "", "", "", ""], True)


def test_what_was_held_back_is_shown_once_it_cannot_become_a_stop() -> None:
    assert pieces("abxab", "abc") == (["", "", "abx", "", "", "ab"], False)


def test_a_stop_that_begins_inside_a_false_start_is_found() -> None:
    shown, stopped = pieces("aabc", "abc")
    assert ("".join(shown), stopped) == ("a", True)


def test_the_stop_that_appears_first_in_the_text_counts() -> None:
    assert pieces("xabcd", "cd", "abcd")[0] == ["x", "", "", "", "", ""]
    shown, stopped = pieces("xabcd", "bc", "abcd")
    assert ("".join(shown), stopped) == ("xa", True)


def test_a_stop_in_the_prompt_or_across_its_end_does_not_count() -> None:
    assert pieces("bc", "ab", prompt="ab") == (["b", "c", ""], False)
    assert pieces("bc", "ab", prompt="a") == (["b", "c", ""], False)


def test_tokens_after_the_stop_add_nothing() -> None:
    stream = TextStream(CHARACTERS, "", casing="none", stops=["b"])
    assert [stream.push(token) for token in CHARACTERS.encode("abcb").ids] == ["a", "", "", ""]
    assert stream.finish() == ""


def test_stops_are_looked_for_in_the_text_as_it_is_shown() -> None:
    tokenizer = words("so", ",", "no")
    stream = TextStream(tokenizer, [], casing="upper", stops=[", N"])
    assert [stream.push(token) for token in tokenizer.encode("so , no").ids] == ["SO", "", ""]
    assert stream.stopped


def test_the_prompt_decides_the_spacing_of_what_follows() -> None:
    tokenizer = words("so", "!")
    stream = TextStream(tokenizer, ["well", ",", "“"], casing="sentence")
    assert stream.prompt_text == "Well, “"
    assert [stream.push(token) for token in tokenizer.encode("so ! so").ids] == ["so", "!", " So"]


@pytest.mark.parametrize("text", ["aaab", "aab", "ab", "aaaab"])
def test_repeated_letters_are_held_no_longer_than_needed(text: str) -> None:
    shown, stopped = pieces(text, "ab")
    assert ("".join(shown), stopped) == (text.removesuffix("ab"), True)


@given(
    st.text("abc", max_size=12),
    st.lists(st.text("abc", min_size=1, max_size=4), max_size=3),
    st.sampled_from(CASINGS),
)
def test_the_text_is_cut_at_the_first_token_that_completes_a_stop(text: str, stops: list[str], casing: str) -> None:
    stream = TextStream(CHARACTERS, "", casing=casing, stops=stops)
    whole = TextStream(CHARACTERS, "", casing=casing)
    uncut, expected, stopped = "", None, False
    shown = ""
    for token in CHARACTERS.encode(text).ids:
        shown += stream.push(token)
        uncut += whole.push(token)
        assert uncut.startswith(shown)
        starts = [uncut.find(stop) for stop in stops if stop in uncut]
        if starts and expected is None:
            expected, stopped = uncut[: min(starts)], True
        assert stream.stopped == stopped
    shown += stream.finish()
    assert shown == (uncut if expected is None else expected)
