"""Where sentences begin, as learning sees it: wherever writing would put a capital, learning does not look."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.tokenizer import Detokenizer, Normalization
from genrun.tokenizer.building.beginnings import beginnings
from genrun.tokenizer.detokenizer import MarkedDetokenizer
from genrun.tokenizer.marks import without_joiners

texts = st.lists(st.sampled_from(["a", "i.b", ".", "!", "“", "”", "(", "…", "—", " ", "5"]), max_size=16).map("".join)
MARKS = {"leading": "“(…—", "trailing": "”).!?…,—"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("…", []),
        ("and so , it goes", ["and"]),
        ("“ and so ! ” ( he said ) it", ["and", "he"]),
        ("so . 5 boats ? no", ["so", "5", "no"]),
        ("in the u.s. and in end. there", ["in", "and", "there"]),
        ("so \n and", ["so"]),
        ("それ 。 それは", ["それ", "それは"]),
        ("don’t . they’re", ["don’t", "they’re"]),
    ],
)
def test_a_sentence_begins_at_the_first_word_and_after_an_end(text: str, found: list[str]) -> None:
    words = text.split()
    assert [words[at] for at in beginnings(words, text)] == found


@pytest.mark.parametrize(("step", "written"), [("mark_edges", MarkedDetokenizer), ("isolate_edges", Detokenizer)])
@given(
    text=st.lists(st.sampled_from(["a", "i.b", ".", "!", "“", "”", "(", "…", "—", " ", "5"]), max_size=16).map(
        "".join
    )
)
def test_no_word_is_learnt_where_sentences_are_capitalized(step: str, written: type[Detokenizer], text: str) -> None:
    words = Normalization([{"step": step, **MARKS}])(text).split()
    detokenizer = written(casing="sentence")
    capitals = [
        at for at, word in enumerate(words) if detokenizer.push(word).removeprefix(" ") != without_joiners(word)
    ]
    assert set(capitals) <= set(beginnings(words, " ".join(words)))
