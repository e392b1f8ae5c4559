"""A model file of format 1 as it was first written: every later runtime must load it and go on the same way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from onnx import parser

import genrun
from genrun.loading.metadata import Metadata
from genrun.model import Model
from support.alphabet import save

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((GOLDEN / "format-1.json").read_text("utf-8"))
    return document


@pytest.fixture(scope="module")
def golden_model(recorded: dict[str, Any], folder: Path) -> Model:
    step = parser.parse_model((GOLDEN / "format-1.onnxtxt").read_text("utf-8"))
    texts = {key: json.dumps(value) for key, value in recorded["metadata"].items()}
    return genrun.load(save(folder / "format-1.onnx", step, texts), device="cpu")


def test_a_format_1_file_passes_its_own_golden_texts(golden_model: Model) -> None:
    report = genrun.verify(golden_model)
    assert report.differences == ()
    assert (report.passed, report.texts) == (True, 3)


@pytest.mark.parametrize("which", range(3))
def test_a_format_1_file_generates_what_it_once_generated(
    golden_model: Model, recorded: dict[str, Any], which: int
) -> None:
    case = recorded["generated"][which]
    prompt, texts = case["prompt"], case["texts"]  # recorded when the casing rewrote prompts: "B! Zebra C"
    results = golden_model.generate_many([prompt], n=len(texts), seed=case["seed"])
    assert [list(result.ids) for result in results] == case["ids"]
    assert [result.text for result in results] == [prompt + text[len(prompt) :] for text in texts]
    tokenizer = golden_model.tokenizer
    begun = tokenizer.prompt_pieces(tokenizer.encode_prompt(prompt), "corpus")
    new = [[tokenizer.piece(token, "corpus") for token in result.ids] for result in results]
    assert [tokenizer.detokenizer("corpus").join([*begun, *pieces]) for pieces in new] == texts


def test_the_recorded_texts_show_chance_at_work(recorded: dict[str, Any]) -> None:
    assert all(len(set(case["texts"])) > 1 for case in recorded["generated"])


def test_the_metadata_of_format_1_is_written_back_as_it_was_read(recorded: dict[str, Any]) -> None:
    texts = {key: json.dumps(value) for key, value in recorded["metadata"].items()}
    written = Metadata.from_properties(texts, path="golden").to_properties()
    assert {key: json.loads(text) for key, text in written.items()} == recorded["metadata"]
    assert sorted(written) == [
        "genrun.card",
        "genrun.format_version",
        "genrun.generation",
        "genrun.tokenizer",
        "genrun.verification",
    ]


def test_the_card_is_carried_as_it_stands(golden_model: Model, recorded: dict[str, Any]) -> None:
    assert golden_model.card == recorded["metadata"]["genrun.card"]
    assert golden_model.card["note"] == "é ü 말"
