"""Replaying golden texts, and describing a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import genrun
from genrun.description import describe_model
from genrun.model import Model
from genrun.model_file import GoldenText
from genrun.verification import VerificationReport, greedy_continuations
from support.alphabet import alphabet_table, letters, words, write_model

TRUE = [
    GoldenText("a", (2, 4), (5, 6, 7), "abcd"),
    GoldenText("xyz", (2, 27, 28, 29), (3,), "xyz"),
    GoldenText("", (2,), (4, 5), "ab"),
]


def load(path: Path, *golden: GoldenText, **about: Any) -> Model:
    return genrun.load(write_model(path / "m.onnx", golden=golden, **about), device="cpu")


def test_golden_texts_that_are_reproduced_pass(tmp_path: Path) -> None:
    report = genrun.verify(load(tmp_path, *TRUE))
    assert report == VerificationReport(3, ())
    assert report.passed


def test_a_file_without_golden_texts_does_not_pass(tmp_path: Path) -> None:
    report = genrun.verify(load(tmp_path))
    assert report == VerificationReport(0, ())
    assert not report.passed


@pytest.mark.parametrize(
    ("golden", "differences"),
    [
        (GoldenText("b", (2, 4), (5,), "ab"), ["prompt 'b' became (2, 5), not (2, 4)"]),
        (GoldenText("a", (2, 4), (5,), "a b"), ["the ids of prompt 'a' became 'ab', not 'a b'"]),
        (
            GoldenText("a", (2, 4), (6, 7), "acd"),
            [f"prompt 'a' at batch {size} went on with (5, 6), not (6, 7)" for size in (1, 4)],
        ),
    ],
)
def test_each_difference_is_a_line(tmp_path: Path, golden: GoldenText, differences: list[str]) -> None:
    report = genrun.verify(load(tmp_path, *TRUE, golden))
    assert list(report.differences) == differences
    assert not report.passed


def test_another_model_under_the_same_metadata_is_noticed(tmp_path: Path) -> None:
    table = alphabet_table(letters())
    table[5, 6], table[5, 7] = 0.0, 10.0
    report = genrun.verify(load(tmp_path, *TRUE, table=table))
    assert report.differences == tuple(
        f"prompt 'a' at batch {size} went on with (5, 7, 8), not (5, 6, 7)" for size in (1, 3)
    )


def test_verification_does_not_depend_on_the_models_decoder(tmp_path: Path) -> None:
    assert genrun.verify(load(tmp_path, *TRUE, decoder="not-installed")).passed


def test_greedy_continuations_run_past_the_end_and_spare_what_is_suppressed(alphabet: Model) -> None:
    session = alphabet._session
    for size in (1, 2):
        found = greedy_continuations(session, [(29,), (4, 5)], count=3, batch_size=size, suppressed_ids=(0, 1, 2))
        assert found == [(3, 3, 3), (6, 7, 8)]


def test_a_model_is_described_in_sections(tmp_path: Path) -> None:
    tokenizer = words("one", "two")
    card = {"name": "x", "licence": "MIT", "corpus": {"documents": 3}}
    model = genrun.load(
        write_model(tmp_path / "m.onnx", tokenizer, card=card, golden=[GoldenText("one", (2, 4), (5,), "one two")]),
        device="cpu",
    )
    described = describe_model(model)
    assert json.loads(json.dumps(described)) == described
    assert described == {
        "model": {"name": "x", "licence": "MIT"},
        "corpus": {"documents": 3},
        "file": {"path": str(model.path), "bytes": model.path.stat().st_size},
        "tokenizer": {
            "kind": "word",
            "vocabulary": 6,
            "special tokens": ["<pad>", "<unk>", "<start>", "<end>"],
        },
        "generation": {
            "decoder": "greedy",
            "options": {},
            "max_new_tokens": 5,
            "stops at": ["<end>"],
            "casing": "none",
        },
        "verification": {"largest difference": 0.0, "golden texts": 1},
    }
