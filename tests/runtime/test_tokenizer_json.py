"""A tokenizer as JSON: what is written comes back the same, and what does not fit is refused in one line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.errors import OptionError
from genrun.tokenizer import CASINGS, Tokenizer, TokenizerSettings, VocabularyBuilder
from support.alphabet import words

STEPS: list[dict[str, str]] = [
    {"step": "nfc"},
    {"step": "lowercase"},
    {"step": "drop_non_ascii"},
    {"step": "strip"},
    {"step": "collapse_spaces"},
    {"step": "remove", "characters": "#%"},
    {"step": "space_out", "characters": "\t-"},
    {"step": "isolate", "characters": "?!"},
    {"step": "isolate_edges", "leading": "“(", "trailing": "”),."},
    {"step": "keep", "characters": "abcABC]^-"},
]

some_settings = st.builds(
    TokenizerSettings,
    kind=st.sampled_from(["word", "char"]),
    split_on=st.sampled_from(["space", "whitespace"]),
    normalization=st.lists(st.sampled_from(STEPS), max_size=4).map(tuple),
    specials=st.lists(st.sampled_from(["pad", "unk", "start", "end"]), unique=True).map(tuple),
    vocabulary_limit=st.sampled_from([0, 5, 100]),
    minimum_count=st.integers(1, 2),
    line_breaks=st.booleans(),
)


@given(some_settings, st.lists(st.text(max_size=30), max_size=6), st.text(max_size=30))
def test_a_tokenizer_comes_back_from_json_the_same(
    settings: TokenizerSettings, documents: list[str], text: str
) -> None:
    builder = VocabularyBuilder(settings)
    for document in documents:
        builder.add(document)
    tokenizer = builder.build()
    written = json.dumps(tokenizer.to_json(), ensure_ascii=False)
    restored = Tokenizer.from_json(json.loads(written))
    assert restored.to_json() == tokenizer.to_json()
    for sample in (text, *documents):
        assert restored.encode_document(sample) == tokenizer.encode_document(sample)
        for casing in CASINGS:
            ids = tokenizer.encode(sample).ids
            assert restored.decode(ids, casing) == tokenizer.decode(ids, casing)


@pytest.mark.parametrize("value", [None, 3, "text", [], ["<pad>"]])
def test_what_is_no_object_is_refused(value: object) -> None:
    with pytest.raises(OptionError, match=f"a tokenizer is a JSON object, not {type(value).__name__}"):
        Tokenizer.from_json(value)


def changed(**changes: Any) -> dict[str, Any]:
    """Return a good tokenizer document with some entries replaced (None removes one)."""
    document = {**words("one", "two").to_json(), **changes}
    return {key: value for key, value in document.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 2}, "tokenizer version 2 is not 1; a newer genrun may read it"),
        ({"version": None}, "tokenizer version None is not 1"),
        ({"kind": None}, "unknown tokenizer kind 'None'"),
        ({"kind": ["word"]}, "unknown tokenizer kind"),
        ({"split_on": "comma"}, "unknown tokenizer split_on 'comma'"),
        ({"vocabulary": None}, "needs the lists 'vocabulary', 'specials' and 'normalization'"),
        ({"vocabulary": "abc"}, "needs the lists"),
        ({"vocabulary": ["<pad>", 1]}, "needs the lists"),
        ({"vocabulary": ["one", "two"]}, "must begin with its special tokens"),
        ({"specials": {"pad": 0}}, "needs the lists"),
        ({"specials": ["pad", "mask"]}, "unknown tokenizer special token 'mask'"),
        ({"normalization": "lowercase"}, "needs the lists"),
        ({"normalization": ["lowercase"]}, "a normalization step is a table with a 'step' name, not 'lowercase'"),
        ({"normalization": [{"step": "rot13"}]}, "unknown normalization step 'rot13'"),
        ({"normalization": [{"step": ["keep"]}]}, "a normalization step is a table"),
        ({"normalization": [{"step": "keep", "characters": ["a"]}]}, "characters must be text"),
        ({"written": {"forms": "." * 7}}, "'written' forms do not fit its vocabulary"),
        ({"written": {"forms": "x"}}, "'written' forms do not fit"),
        ({"written": {"forms": ".\n"}}, "'written' forms do not fit"),
        ({"written": {"forms": ["."]}}, "'written' forms do not fit"),
        ({"written": {"forms": "", "others": []}}, "'written' forms do not fit"),
        ({"written": {"forms": "", "others": {"one": "One"}}}, "'written' forms do not fit"),
        ({"written": {"forms": "", "others": {"-1": "One"}}}, "'written' forms do not fit"),
        ({"written": {"forms": "", "others": {"9" * 5000: "One"}}}, "'written' forms do not fit"),
    ],
)
def test_documents_that_do_not_fit_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        Tokenizer.from_json(changed(**changes))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_written_forms_may_be_missing_altogether() -> None:
    tokenizer = Tokenizer.from_json(changed(written=None))
    assert tokenizer.decode([4, 5], "corpus") == "one two"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(words().to_json())), json_values)
def test_any_wrong_entry_is_an_option_error_or_accepted(key: str, value: object) -> None:
    document = {**words("one", "two").to_json(), key: value}
    try:
        tokenizer = Tokenizer.from_json(document)
        message = tokenizer.decode(tokenizer.encode("one two").ids)
    except OptionError as error:
        message = str(error)
    assert message
    assert "\n" not in message
