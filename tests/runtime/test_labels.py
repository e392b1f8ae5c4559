"""Labels in the tokenizer: tokens before a text that are no text, and one line for what the model does not know."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun.contracts import Document
from genrun.errors import OptionError
from genrun.tokenizer import Tokenizer
from genrun.tokenizer.building.extension import extended, with_labels
from genrun.tokenizer.labels import Label, Labels
from genrun.tokenizer.subwords.byte_letters import LETTERS
from support.alphabet import letters, words

SECTIONS = Label("section", ("Opinion", "Sports"), True)
YEARS = Label("year", ("1786",))


def labelled(tokenizer: Tokenizer) -> Tokenizer:
    return with_labels(tokenizer, Labels([SECTIONS, YEARS], len(tokenizer)))


PLAIN = words("sea", "sky")
LABELLED = labelled(PLAIN)


@given(
    st.lists(
        st.builds(Label, st.text(min_size=1), st.lists(st.text(min_size=1), unique=True).map(tuple), st.booleans()),
        min_size=1,
        max_size=4,
        unique_by=lambda label: label.name,
    ).filter(lambda found: len(Labels(found).texts) == len({text for label in found for text in label.texts}))
)
def test_a_tokenizer_with_labels_survives_the_way_through_json(found: list[Label]) -> None:
    tokenizer = with_labels(PLAIN, Labels(found, len(PLAIN)))
    restored = Tokenizer.from_json(tokenizer.to_json())
    assert restored.labels.all == tokenizer.labels.all
    given_labels = {label.name: label.values[0] for label in found if label.values}
    assert restored.encode_prompt("sea", given_labels) == tokenizer.encode_prompt("sea", given_labels)


@given(st.text(), st.sampled_from(["word", "char"]))
def test_no_text_has_the_token_of_a_label(text: str, kind: str) -> None:
    tokenizer = labelled(letters(kind))
    assert not set(tokenizer.encode(f"{text} < section = Opinion > {text}").ids) & set(tokenizer.labels.tokens)


def test_a_text_is_the_same_with_labels() -> None:
    given_labels = {"section": "Sports"}
    assert LABELLED.encode_prompt("sea sky", given_labels).ids[2:] == PLAIN.encode_prompt("sea sky").ids
    assert LABELLED.decode(LABELLED.encode_prompt("sea sky", given_labels).ids) == "sea sky"
    assert LABELLED.encode_document("sea") == PLAIN.encode_document("sea")


def test_subwords_have_labels_behind_them() -> None:
    plain = Tokenizer(kind="bpe", vocabulary=["<start>", *LETTERS], specials=["start"])
    tokenizer = labelled(plain)
    opened = tokenizer.open_end(tokenizer.encode_prompt("< section", {"year": "1786"}))
    assert opened.finished[:3] == (tokenizer.labels.tokens[0], tokenizer.labels.tokens[-1], 0)
    assert not {*opened.finished[2:], *opened.open} & set(tokenizer.labels.tokens)
    assert Tokenizer.from_json(tokenizer.to_json()).encode("sea") == plain.encode("sea")


def test_a_genrun_that_knows_no_labels_refuses_the_file() -> None:
    assert (LABELLED.to_json()["version"], PLAIN.to_json()["version"]) == (4, 1)


def test_words_of_another_tokenizer_are_added_without_its_labels() -> None:
    assert extended(words("sea"), LABELLED, 9).vocabulary == words("sea", "sky").vocabulary
    assert extended(LABELLED, words("gull"), 9).labels.tokens == LABELLED.labels.tokens


@pytest.mark.parametrize(
    ("given_labels", "message"),
    [
        ({"sektion": "Sports"}, "the model has no label 'sektion'; did you mean 'section'?"),
        ({"section": "Sport"}, "the label 'section' has no value 'Sport'; did you mean 'Sports'?"),
        ({"year": "2001"}, "the label 'year' has no value '2001'; accepted: 1786"),
    ],
)
def test_a_wrong_label_is_one_line_with_the_nearest(given_labels: dict[str, str], message: str) -> None:
    with pytest.raises(OptionError) as error:
        LABELLED.encode_prompt("sea", given_labels)
    assert str(error.value) == message


def test_a_model_without_labels_says_so() -> None:
    with pytest.raises(OptionError, match="no label 'year'; it was trained without labels"):
        PLAIN.encode_prompt("sea", {"year": "1786"})


def test_a_document_may_have_rare_values_and_other_labels() -> None:
    none, rare, opinion, _, no_year, year = LABELLED.labels.tokens
    assert LABELLED.labels.ids_of_document({"section": "Arts", "author": "Burns"}) == (rare, no_year)
    assert LABELLED.labels.ids_of_document({"section": "Opinion", "year": "1786"}) == (opinion, year)
    assert LABELLED.labels.ids_of_document({"year": "1"}) == (none, no_year)  # no year was rare in the training


@pytest.mark.parametrize(
    "labels",
    [
        {"first": 7, "names": []},
        {"first": 6, "names": [{"name": "section", "values": ["A"], "rare": False}]},
        {"first": "6", "names": [{"name": "section", "values": ["A"], "rare": True}]},
        {"first": 6, "names": [{"name": "section", "values": "A", "rare": 1}]},
        {"first": 6, "names": [{"name": 3, "values": [], "rare": True}]},
        {"first": 6},
        [],
    ],
)
def test_labels_that_do_not_fit_the_vocabulary_are_refused(labels: object) -> None:
    with pytest.raises(OptionError, match="labels"):
        Tokenizer.from_json({**LABELLED.to_json(), "labels": labels})


def test_labels_of_a_document_are_text() -> None:
    assert Document("sea", {"section": "", "year": " 1786 "}).labels == {"year": "1786"}
    with pytest.raises(TypeError, match="a label and its value must be text, not 'year': 1786"):
        Document("sea", {"year": 1786})  # type: ignore[dict-item]
