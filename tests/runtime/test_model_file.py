"""The metadata of a model file: what is written comes back, and what is wrong is refused in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import genrun
from genrun.checks.installation import upgrade_line
from genrun.errors import ModelFileError, OptionError
from genrun.loading.generation_defaults import GenerationDefaults
from genrun.loading.metadata import FORMAT_VERSION, Metadata
from genrun.loading.recorded_checks import GoldenText
from support.alphabet import letters, metadata, step_model, words, write_model

GOLDEN = GoldenText("one", (2, 4), (5, 3), "one two", ((5, 10.0), (0, 0.0)))
GOOD = metadata(words("one", "two"), golden=[GOLDEN]).to_properties()


def read(**changes: str | None) -> Metadata:
    """Read good properties of which some are replaced (None removes one)."""
    properties: dict[str, str | None] = {**GOOD, **{f"genrun.{key}": text for key, text in changes.items()}}
    return Metadata.from_properties({k: t for k, t in properties.items() if t is not None}, path="m.onnx")


def refusal(**changes: str | None) -> str:
    with pytest.raises(ModelFileError) as caught:
        read(**changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def generation(**changes: Any) -> str:
    return json.dumps({**json.loads(GOOD["genrun.generation"]), **changes})


def test_metadata_come_back_the_same() -> None:
    again = read()
    assert again.to_properties() == GOOD
    assert again.generation == GenerationDefaults("greedy", {}, 5, (3,), (0, 1, 2), "none")
    assert again.verification.golden == (GOLDEN,)


@given(
    st.dictionaries(
        st.text(), st.integers() | st.text() | st.lists(st.floats(allow_nan=False, allow_infinity=False))
    ),
    st.text(),
    st.lists(st.integers(0, 29)).map(tuple),
    st.lists(st.tuples(st.integers(0, 29), st.floats(-1e30, 1e30)), min_size=1).map(tuple),
)
def test_any_card_and_golden_text_come_back_the_same(
    card: dict[str, Any], text: str, ids: tuple[int, ...], logits: tuple[tuple[int, float], ...]
) -> None:
    golden = GoldenText(text, (2, *ids), ids, text, logits)
    again = Metadata.from_properties(metadata(letters(), card=card, golden=[golden]).to_properties(), path="m.onnx")
    assert (again.card, again.verification.golden[0]) == (card, golden)


def test_keys_of_later_versions_are_left_alone() -> None:
    properties = {**GOOD, "genrun.adapters": "?", "producer": "x"}
    assert Metadata.from_properties(properties, path="m.onnx").to_properties() == GOOD
    assert read(generation=generation(beams=4)).generation.decoder == "greedy"


def test_a_foreign_onnx_file_is_told_apart() -> None:
    assert refusal(format_version=None) == (
        "m.onnx is an ONNX file, but not one that genrun exported: it has no genrun metadata"
    )


def test_a_newer_format_says_how_to_upgrade() -> None:
    newer = str(FORMAT_VERSION + 1)
    assert refusal(format_version=newer) == (
        f"m.onnx has model format {newer}; this genrun reads formats up to {FORMAT_VERSION}: {upgrade_line()}"
    )


@pytest.mark.parametrize("version", ["0", "-1", "1.0", '"1"', "one", "", "null"])
def test_a_format_version_is_a_whole_number_from_1(version: str) -> None:
    assert (
        refusal(format_version=version) == f"m.onnx: genrun.format_version is {version!r}, not a whole number from 1"
    )


def test_an_absurdly_long_format_version_is_refused_too() -> None:
    assert "genrun.format_version" in refusal(format_version="9" * 5000)


@pytest.mark.parametrize("key", ["tokenizer", "generation", "card", "verification"])
def test_each_document_must_be_there_and_be_a_json_object(key: str) -> None:
    assert refusal(**{key: None}) == f"m.onnx: genrun.{key} is missing"
    for text in ("", "{", "{'a': 1}", "[" * 100_000, "9" * 5000):
        assert refusal(**{key: text}).startswith(f"m.onnx: genrun.{key} is not valid JSON: ")
    for text in ("[]", "3", "null", '"text"'):
        assert refusal(**{key: text}) == f"m.onnx: genrun.{key} must be a JSON object"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"decoder": None}, "genrun.generation needs 'decoder', 'options' and 'max_new_tokens'"),
        ({"options": []}, "genrun.generation needs 'decoder', 'options' and 'max_new_tokens'"),
        ({"max_new_tokens": "5"}, "genrun.generation needs 'decoder', 'options' and 'max_new_tokens'"),
        ({"max_new_tokens": True}, "genrun.generation needs 'decoder', 'options' and 'max_new_tokens'"),
        ({"max_new_tokens": 0}, "max_new_tokens must be a whole number from 1 to 1,000,000, not 0"),
        ({"casing": "loud"}, "unknown casing 'loud'"),
        ({"casing": None}, "unknown casing 'None'"),
        ({"casing": ["title"]}, "unknown casing"),
        ({"stop_ids": None}, "'stop_ids' must be a list of token ids"),
        ({"stop_ids": [True]}, "'stop_ids' must be a list of token ids"),
        ({"stop_ids": [1.0]}, "'stop_ids' must be a list of token ids"),
        ({"stop_ids": [-1]}, "'stop_ids' must be a list of token ids"),
        ({"stop_ids": [6]}, "'stop_ids' names a token outside the vocabulary of 6"),
        ({"suppressed_ids": [0, 10**30]}, "'suppressed_ids' names a token outside the vocabulary of 6"),
        ({"suppressed_ids": [0, 1, 2, 3, 4, 5]}, "genrun.generation suppresses every token"),
        ({"max_new_tokens": 1_000_001}, "max_new_tokens must be a whole number from 1 to 1,000,000, not 1000001"),
    ],
)
def test_generation_defaults_are_checked(changes: dict[str, Any], message: str) -> None:
    assert refusal(generation=generation(**changes)).startswith(f"m.onnx: {message}")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "genrun.verification needs 'figures' and 'golden'"),
        ({"figures": [], "golden": []}, "genrun.verification needs 'figures' and 'golden'"),
        ({"figures": {}, "golden": {}}, "genrun.verification needs 'figures' and 'golden'"),
        ({"figures": {}, "golden": ["a"]}, "genrun.verification: a golden text needs 'prompt' and 'text'"),
        (
            {"figures": {}, "golden": [], "quantization": []},
            "genrun.verification: 'quantization' must be a JSON object",
        ),
        (
            {"figures": {}, "golden": [], "logit_tolerance": 0},
            "genrun.verification: 'logit_tolerance' must be a number above 0, up to 1",
        ),
        (
            {"figures": {}, "golden": [], "logit_tolerance": 1.5},
            "'logit_tolerance' must be a number above 0, up to 1",
        ),
        (
            {"figures": {}, "golden": [], "logit_tolerance": True},
            "'logit_tolerance' must be a number above 0, up to 1",
        ),
        ({"figures": {}, "golden": [{"prompt": "a"}]}, "a golden text needs 'prompt' and 'text'"),
        ({"figures": {}, "golden": [{"prompt": "a", "text": "b"}]}, "'prompt_ids' must be a list of token ids"),
    ],
)
def test_the_verification_is_checked(document: dict[str, Any], message: str) -> None:
    assert message in refusal(verification=json.dumps(document))


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ({"new_ids": [6]}, "'new_ids' names a token outside the vocabulary of 6"),
        ({"prompt_ids": [2, 6]}, "'prompt_ids' names a token outside the vocabulary of 6"),
        ({"prompt_ids": []}, "genrun.verification: a golden text begins from at least one token"),
    ],
)
def test_golden_texts_are_made_of_the_vocabulary(ids: dict[str, list[int]], message: str) -> None:
    golden = {"prompt": "one", "prompt_ids": [2, 4], "new_ids": [5], "text": "one two", **ids}
    assert message in refusal(verification=json.dumps({"figures": {}, "golden": [golden]}))


@pytest.mark.parametrize(
    "logits",
    [
        "none at all",
        None,
        [],
        {},
        [5],
        [[]],
        [[5]],
        [[5, 1.0, 2.0]],
        [[6, 1.0]],
        [[-1, 1.0]],
        [[5.0, 1.0]],
        [[True, 1.0]],
        [["5", 1.0]],
        [[5, "1"]],
        [[5, True]],
        [[5, None]],
        [[5, 10**400]],  # more than any float
        [[5, 1.0], [5]],
    ],
)
def test_golden_texts_carry_the_logits_after_the_prompt(logits: object) -> None:
    golden = {"prompt": "one", "prompt_ids": [2, 4], "new_ids": [5], "text": "one two", "logits": logits}
    if logits == "none at all":
        del golden["logits"]
    message = refusal(verification=json.dumps({"figures": {}, "golden": [golden]}))
    assert message == (
        "m.onnx: genrun.verification: a golden text needs 'logits', a list of pairs of token id and logit"
    )


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
@pytest.mark.parametrize("document", ["verification", "card", "generation", "tokenizer"])
def test_numbers_that_are_none_or_infinite_are_in_no_document(document: str, number: str) -> None:
    message = refusal(**{document: f'{{"figures": {number}, "golden": []}}'})
    assert message.startswith(f"m.onnx: genrun.{document} is not valid JSON: ")


def test_a_lone_surrogate_in_a_document_is_refused() -> None:
    assert "lone surrogate" in refusal(card='{"name": "\\ud83d"}')
    assert read(card='{"name": "\\ud83d\\ude00"}').card["name"] == "😀"


def test_what_a_file_asks_for_has_limits() -> None:
    text = {"prompt": "one", "prompt_ids": [2, 4], "new_ids": [5] * 98, "text": "one two", "logits": [[5, 1.0]]}
    assert "has 1,025 golden texts" in refusal(verification=json.dumps({"figures": {}, "golden": [text] * 1025}))
    assert "102,400 ids in golden" in refusal(verification=json.dumps({"figures": {}, "golden": [text] * 1024}))
    assert "asks for 100,001 new tokens" in refusal(generation=generation(max_new_tokens=100_001))
    assert len(refusal(generation=generation(casing="x" * 10**6))) < 300
    assert len(refusal(generation=generation(decoder="x" * 10**6))) < 300


def test_logits_may_be_written_as_whole_numbers() -> None:
    golden = {"prompt": "one", "prompt_ids": [2, 4], "new_ids": [], "text": "one", "logits": [[5, 10], [0, -1.5]]}
    [text] = read(verification=json.dumps({"figures": {}, "golden": [golden]})).verification.golden
    assert text.logits == ((5, 10.0), (0, -1.5))
    assert all(type(logit) is float for _, logit in text.logits)


def test_what_a_file_says_of_itself_cannot_be_changed() -> None:
    about = read(generation=generation(decoder="top-k", options={"k": 3}), card='{"name": "x"}')
    for mapping in (about.card, about.generation.options):
        with pytest.raises(TypeError, match="does not support item assignment"):
            mapping["k"] = 5  # type: ignore[index]
    assert (dict(about.card), dict(about.generation.options)) == ({"name": "x"}, {"k": 3})


def test_a_wrong_tokenizer_is_a_wrong_model_file() -> None:
    document = json.loads(GOOD["genrun.tokenizer"])
    assert refusal(tokenizer=json.dumps({**document, "kind": "byte"})) == (
        "m.onnx: unknown tokenizer kind 'byte'; accepted: word, char, bpe"
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def test_what_a_quantized_file_has_besides_is_kept_and_other_files_do_without() -> None:
    besides = {"quantization": {"kind": "int8"}, "logit_tolerance": 0.1}
    for more in ({}, besides):
        document = {"figures": {}, "golden": [], **more}
        found = read(verification=json.dumps(document))
        assert json.loads(found.to_properties()["genrun.verification"]) == document
    assert found.verification.logit_tolerance == 0.1


@given(st.sampled_from(["tokenizer", "generation", "card", "verification"]), st.data())
def test_any_wrong_entry_is_a_model_file_error_or_accepted(key: str, data: st.DataObject) -> None:
    document = json.loads(GOOD[f"genrun.{key}"])
    document[data.draw(st.sampled_from(sorted(document)))] = data.draw(json_values)
    try:
        read(**{key: json.dumps(document)})
        message = ""
    except ModelFileError as error:
        message = str(error)
    assert "\n" not in message


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), st.text()))
def test_any_text_in_place_of_metadata_is_a_model_file_error(texts: dict[str, str]) -> None:
    with pytest.raises(ModelFileError):
        Metadata.from_properties(texts, path="m.onnx")


def test_numbers_that_json_does_not_know_are_not_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        metadata(letters(), card={"loss": float("nan")}).to_properties()


def test_defaults_are_checked_in_a_program_too() -> None:
    with pytest.raises(OptionError, match="max_new_tokens must be a whole number from 1 to 1,000,000, not 0"):
        GenerationDefaults(max_new_tokens=0)
    with pytest.raises(OptionError, match="unknown casing"):
        GenerationDefaults(casing="loud")


def test_the_metadata_are_those_of_the_file(tmp_path: Path) -> None:
    file = write_model(tmp_path / "m.onnx", card={"name": "x"}, properties={"genrun.format_version": "2"})
    with pytest.raises(ModelFileError, match=r"m\.onnx has model format 2"):
        genrun.load(file)
    assert step_model([[0.0]]).metadata_props == []
