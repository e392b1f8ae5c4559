"""Replaying golden texts, and describing a model."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genrun
from genrun.cli.info import describe_model
from genrun.loading.recorded_checks import LOGIT_TOLERANCE, GoldenText
from genrun.model import Model
from genrun.scoring.verification import VerificationReport, greedy_continuations, logits_after
from genrun_export.graph.choosing import add_choosing
from support.alphabet import (
    alphabet_table,
    letters,
    metadata,
    random_drift,
    save,
    step_model,
    words,
    write_model,
)

B_NEXT = ((5, 10.0), (0, 0.0))  # the highest logits after an a
TRUE = [
    GoldenText("a", (2, 4), (5, 6, 7), "abcd", ((5, 10.0), (0, 0.0))),
    GoldenText("xyz", (2, 27, 28, 29), (3,), "xyz", ((3, 10.0),)),
    GoldenText("", (2,), (4, 5), "ab", ((4, 10.0),)),
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
        (GoldenText("b", (2, 4), (5,), "ab", B_NEXT), ["prompt 'b' became (2, 5), not (2, 4)"]),
        (GoldenText("a", (2, 4), (5,), "a b", B_NEXT), ["the ids of prompt 'a' became 'ab', not 'a b'"]),
        (
            GoldenText("a", (2, 4), (6, 7), "acd", B_NEXT),
            [f"after prompt 'a' at batch {size} new token 1 is 5, not 6" for size in (1, 4)],
        ),
        (
            GoldenText("a", (2, 4), (5, 7), "abd", B_NEXT),
            [f"after prompt 'a' at batch {size} new token 2 is 6, not 7" for size in (1, 4)],
        ),
        (
            GoldenText("a", (2, 4), (5,), "ab", ((5, 10.5), (0, 0.0))),
            ["the logits after prompt 'a' are off by 0.5"],
        ),
        (
            GoldenText("a", (2, 4), (), "a", ((5, 10.0), (0, -0.25))),
            ["the logits after prompt 'a' are off by 0.25"],
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
    assert report.differences == tuple(f"after prompt 'a' at batch {size} new token 2 is 7, not 6" for size in (1, 3))


def test_golden_texts_are_replayed_in_the_graph_too_where_it_can_choose(tmp_path: Path) -> None:
    assert genrun.verify(load(tmp_path, *TRUE, choosing=True)).passed
    model = step_model(alphabet_table(letters()))
    add_choosing(model, suppressed_ids=(0, 1, 2, 6))  # c can no longer be chosen in the graph
    path = save(tmp_path / "m.onnx", model, metadata(letters(), golden=TRUE).to_properties())
    assert genrun.verify(genrun.load(path, device="cpu")).differences == tuple(
        f"after prompt 'a' at batch {size}, chosen in the graph, new token 2 is 3, not 6" for size in (1, 3)
    )


def test_other_logits_are_noticed_where_no_token_changes(tmp_path: Path) -> None:
    table = alphabet_table(letters(), strength=9.0)
    report = genrun.verify(load(tmp_path, *TRUE, table=table))
    assert report.differences == tuple(f"the logits after prompt {text.prompt!r} are off by 1" for text in TRUE)


@pytest.mark.parametrize("new_ids", [(5, 6), ()])
def test_logits_are_compared_within_a_tolerance_also_where_nothing_is_generated(
    tmp_path: Path, new_ids: tuple[int, ...]
) -> None:
    text = "a" + "bc"[: len(new_ids)]
    for share, passes in ((0.0, True), (0.9, True), (-0.9, True), (1.1, False), (-1.1, False)):
        logits = ((0, 0.0), (5, 10.0 + share * LOGIT_TOLERANCE))
        report = genrun.verify(load(tmp_path, GoldenText("a", (2, 4), new_ids, text, logits)))
        assert report.passed is passes, report.differences
        assert len(report.differences) == (not passes)


def test_a_file_may_say_that_its_logits_differ_by_more(tmp_path: Path) -> None:
    golden = GoldenText("a", (2, 4), (5,), "ab", ((5, 10.09), (0, 0.0)))
    said = metadata(letters(), golden=[golden])
    said = dataclasses.replace(said, verification=said.verification._replace(logit_tolerance=0.1))
    assert genrun.verify(genrun.load(write_model(tmp_path / "m.onnx", properties=said.to_properties()))).passed
    assert not genrun.verify(load(tmp_path, golden)).passed


def test_a_logit_that_is_no_number_is_a_difference(tmp_path: Path) -> None:
    table = alphabet_table(letters())
    table[4, 9] = np.nan
    for logits in (((5, 10.0), (9, 0.0)), ((9, 0.0), (5, 10.0))):
        model = load(tmp_path, GoldenText("a", (2, 4), (), "a", logits), table=table)
        assert genrun.verify(model).differences == ("the logits after prompt 'a' are off by nan",)


def test_the_logits_after_a_prompt_depend_on_all_of_it(tmp_path: Path) -> None:
    drift = random_drift(30)
    model = load(tmp_path, drift=drift)
    expected = alphabet_table(letters())[6] + np.float32(2) * drift
    assert logits_after(model._session, (2, 4, 6)) == pytest.approx(expected, abs=1e-6)


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
        write_model(
            tmp_path / "m.onnx",
            tokenizer,
            card=card,
            golden=[GoldenText("one", (2, 4), (5,), "one two", ((5, 10.0),))],
        ),
        device="cpu",
    )
    described = describe_model(model)
    assert json.loads(json.dumps(described)) == described
    assert described == {
        "model": {"name": "x", "licence": "MIT"},
        "corpus": {"documents": 3},
        "file": {"path": str(model.path), "bytes": model.path.stat().st_size, "digest": ""},
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
