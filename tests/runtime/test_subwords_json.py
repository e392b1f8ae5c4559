"""Subwords as JSON: what is written comes back the same, and what does not fit is refused in one line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.errors import OptionError
from genrun.tokenizer import CASINGS, Tokenizer
from genrun.tokenizer.subwords.byte_letters import LETTERS
from support.subwords import chain, subwords

PLAIN = subwords(*chain(" the", " then", "今天"))
texts = st.text(st.one_of(st.sampled_from(" \nthe今天€"), st.characters(codec="utf-8")))


@given(texts, st.sampled_from(CASINGS))
def test_a_tokenizer_comes_back_from_json_the_same(text: str, casing: str) -> None:
    restored = Tokenizer.from_json(json.loads(json.dumps(PLAIN.to_json())))
    assert restored.to_json() == PLAIN.to_json()
    assert restored.encode(text) == PLAIN.encode(text)
    assert restored.decode(PLAIN.encode(text).ids, casing) == PLAIN.decode(PLAIN.encode(text).ids, casing)


def changed(**changes: Any) -> dict[str, Any]:
    return {**subwords(("a", "b")).to_json(), **changes}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (changed(version=1), "tokenizer version 1 is not 2; a newer genrun may read it"),
        (changed(merges=None), "'merges' are a list of texts, each of two parts with a space between"),
        (changed(merges=["ab"]), "'merges' are a list of texts, each of two parts"),
        (changed(merges=["a b c"]), "'merges' are a list of texts, each of two parts"),
        (changed(merges=["a b", "a b"]), "the tokenizer names the merge 'a b' twice"),
        (changed(merges=["a c"]), "the vocabulary lacks a part of the merge 'a c'"),
        (changed(merges=[" b"]), "the vocabulary lacks a part of the merge ' b'"),
        (changed(vocabulary=["<pad>", "<start>", "<end>", *LETTERS[1:]]), "this one lacks the byte 0"),
        (changed(vocabulary=["<pad>", "<start>", "<end>", *LETTERS, "a b"]), "has letters of bytes only"),
        (changed(written={"forms": "...C"}), "subwords have no written forms"),
        (changed(kind="char", version=1), "a tokenizer of the kind 'char' has no merges"),
    ],
)
def test_what_does_not_fit_is_refused(document: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Tokenizer.from_json(document)


junk = st.recursive(
    st.one_of(
        st.none(), st.integers(), st.text(max_size=3), st.sampled_from(["<pad>", "a b", "Ġ t", "C*U", "Ģ", "ab"])
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["0", "forms", "others"]), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(changed())), junk, st.integers(0, 300), texts)
def test_a_damaged_tokenizer_is_refused_or_works(field: str, value: object, place: int, text: str) -> None:
    document = changed()
    if isinstance(document[field], list) and place < len(document[field]):
        document[field] = [*document[field][:place], value, *document[field][place + 1 :]]
    else:
        document[field] = value
    try:
        tokenizer = Tokenizer.from_json(document)
    except OptionError:
        return
    for casing in CASINGS:
        assert isinstance(tokenizer.decode(tokenizer.encode(text).ids, casing), str)
