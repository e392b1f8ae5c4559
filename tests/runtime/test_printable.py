"""What reaches a terminal: one line, readable in every script, and nothing that steers."""

from __future__ import annotations

import json
import math
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.checks.printable import printable, quoted
from genrun.cli.io.json_line import json_line
from genrun.cli.io.output import say

ANY = st.text(st.characters(exclude_categories=()))  # lone surrogates too
STEERING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def harmless(text: str) -> bool:
    """Whether no character controls a terminal, ends the line, turns the direction, or cannot be encoded."""
    return not any(
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
        or unicodedata.bidirectional(character) in STEERING
        for character in text
    )


@given(ANY)
def test_whatever_a_text_holds_it_is_one_line_that_steers_nothing(text: str) -> None:
    shown = printable(text)
    assert harmless(shown)
    assert shown.splitlines() in ([], [shown])
    assert shown.encode().decode() == shown
    assert printable(shown) == shown
    assert harmless(quoted(text))


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp"))))
def test_letters_marks_and_spaces_of_every_script_are_left_as_they_are(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with a zero-width non-joiner
        "\u0915\u094d\u200d\u0937",  # Devanagari, with a zero-width joiner
        "\U0001f469\u200d\U0001f52c \u2764\ufe0f \U0001f3f4\U000e0067\U000e0062\U000e007f",  # emoji sequences
        "\u05e9\u05dc\u05d5\u05dd\u200f! \u200e(abc)",  # Hebrew, with marks of direction
        "e\u0301\u00a0\u202f\u3000\u00ad",  # a combining mark, spaces, a soft hyphen
    ],
)
def test_what_scripts_need_is_left_as_it_is(text: str) -> None:
    assert printable(text) == text
    assert quoted(text) == f"'{text}'"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc\r", "a\\tb\\nc\\r"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b2J\x7f", "\\x9b2J\\x7f"),
        ("\u2028\u2029\x85", "\\u2028\\u2029\\x85"),
        ("\u202eabc\u2066", "\\u202eabc\\u2066"),
        ("\udcff", "\\udcff"),
    ],
)
def test_what_steers_is_shown_as_its_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_word_in_quotation_marks_is_quoted_as_python_does() -> None:
    for text in ("", "it's", 'say "it\'s"', "back\\slash", "\x1b"):
        assert quoted(text) == repr(text)


VALUES = st.recursive(st.none() | st.integers() | st.floats() | ANY, lambda inner: st.lists(inner, max_size=4))


@given(VALUES, st.sampled_from(["utf-8", "ascii", "cp1252"]))
def test_json_is_one_harmless_line_that_carries_every_text_exactly(value: Any, encoding: str) -> None:
    line = json_line({"value": value}, encoding)
    assert harmless(line)
    line.encode(encoding)
    read = json.loads(line, parse_constant=lambda name: pytest.fail(name))
    assert read == {"value": without_infinities(value)}


def without_infinities(value: Any) -> Any:
    if isinstance(value, list):
        return [without_infinities(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def test_a_note_is_a_line_of_bounded_length_that_keeps_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    say("error: \x1b[2J" + "x" * 10**6 + "; what to do\nnow")
    printed = capsys.readouterr().err
    assert len(printed) < 5000
    assert printed.startswith("error: \\x1b[2Jxx")
    assert printed.endswith("x; what to do\\nnow\n")
    assert printed.count("\n") == 1
