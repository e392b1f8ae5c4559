"""Words and texts for messages: short, each word once."""

from __future__ import annotations

import pytest

from genrun.checks.short_text import shorten
from genrun.results import list_words


@pytest.mark.parametrize(
    ("words", "listed"),
    [
        ([], ""),
        (["a"], "'a'"),
        (["b", "a", "b", "a"], "'b', 'a'"),
        ([str(n) for n in range(10)], ", ".join(f"'{n}'" for n in range(10))),
        ([str(n) for n in range(11)] * 3, ", ".join(f"'{n}'" for n in range(10)) + " and 1 more"),
        (["x" * 61], "'" + "x" * 60 + "…'"),
        (["don't", "\x1b[2J"], "\"don't\", '\\x1b[2J'"),
    ],
)
def test_words_are_listed_once_at_most_ten_and_cut(words: list[str], listed: str) -> None:
    assert list_words(words) == listed


def test_another_number_of_words_may_be_listed() -> None:
    assert list_words(["a", "b", "c"], most=2) == "'a', 'b' and 1 more"


def test_only_what_is_long_is_cut() -> None:
    assert shorten("x" * 60) == "x" * 60
    assert shorten("x" * 61) == "x" * 60 + "…"
    assert shorten("abcdef", most=3) == "abc…"
    assert shorten("") == ""
