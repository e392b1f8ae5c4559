"""The report: both sides measured alike, the lines for people, and the picture."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import genrun
from genrun.errors import OptionError
from genrun_core.reporting.advice import advice, main_line, table
from genrun_core.reporting.plot import draw_report
from genrun_core.reporting.report import compare, sampled

DOCUMENTS = [f"The {who} {what} the {where}." for who in "abcdef" for what in "ghijk" for where in "lmnop"]  # 150
PLAIN = [f"The {who} {what} the {where}." for who in "abcdef" for what in "ghijk" for where in "qrstu"]


def test_both_sides_and_what_they_copied() -> None:
    report = compare(
        ["The cat sat.", "the the mat", "a dog ran off"], ["A dog ran."], ["the cat sat", "a dog ran away"]
    )
    assert (report.texts.training_lines, report.documents.training_lines) == (1 / 3, 0.0)
    assert (report.texts.copied_run, report.documents.copied_run) == (3.0, 3.0)
    assert (report.texts.measures.texts, report.documents.measures.texts) == (3, 1)
    assert (report.compared, report.auc, report.training_auc) == (1, None, None)
    assert report.texts.measures.distinct_1 == 1.0  # of one text, since there is one document


def test_without_a_training_corpus_copies_are_not_measured_and_a_dash_says_so() -> None:
    report = compare(["a b"], ["c d"])
    assert report.texts.to_json()["training_lines"] is None
    assert "training lines" not in main_line(report)
    [line] = [line for line in table(report) if line.startswith("training lines")]
    assert line.split() == ["training", "lines", "-", "-"]


def test_training_documents_are_told_from_the_held_out_ones_too_and_read_once() -> None:
    report = compare(["nothing of this kind"] * 120, DOCUMENTS, iter(PLAIN))
    assert report.auc == 1.0
    assert report.training_auc is not None
    assert report.training_auc > 0.95  # they end in other letters
    assert "AUC 1.00 (0.5: it cannot, training lines 1.00)" in main_line(report)


def test_json_has_every_figure() -> None:
    report = compare(["the the sea", "a boat"], ["a sea"], ["a boat"])
    found = json.loads(json.dumps(report.to_json()))
    assert set(found) == {"auc", "training_auc", "compared", "units", "texts", "documents"}
    assert set(found["texts"]) == set(found["documents"])
    assert (found["texts"]["doubled_words"], found["texts"]["training_lines"]) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ([""] * 30 + PLAIN, "texts are empty: 16.7 %, documents 0.0 %; try a longer"),
        (["The a"] * 30 + PLAIN, "many texts have two words or fewer: 16.7 %, documents 0.0 %; try a longer"),
        (["The the a b."] * 30 + PLAIN, "many texts double a word: 16.7 %, documents 0.0 %; try --decoder"),
        (['The "a b.'] * 30 + PLAIN, "many texts have an odd quotation mark: 16.7 %, documents 0.0 %; try"),
        (["The x y the z."] * 30 + PLAIN, "many texts are lines of the training corpus: 16.7 %, documents 0.0 %"),
        (["The a g the q."] * 150, "the texts use few different words: distinct 0.01, documents 0.02; try a decoder"),
        (
            [f"{text} Q{number % 7} r{number % 5}" for number, text in enumerate(PLAIN)],
            "a classifier tells texts from documents: AUC 1.00; ",
        ),
    ],
)
def test_a_poor_figure_is_said_with_what_to_try(texts: list[str], says: str) -> None:
    lines = advice(compare(texts, DOCUMENTS, ["The x y the z.", "Something else"]))
    assert any(line.startswith(says) for line in lines), lines


def test_long_copied_runs_are_said_with_what_to_try() -> None:
    training = [f"{text[:-1]} and the v and the w" for text in PLAIN]
    lines = advice(compare([f"{text} indeed" for text in training], DOCUMENTS, training))
    assert (
        "long runs are copied from the training corpus: 11 words, documents 4; "
        "try fewer epochs or more dropout, or --max-copied 4" in lines
    )


def test_documents_that_are_not_held_out_are_noticed() -> None:
    lines = advice(compare(DOCUMENTS[::-1], DOCUMENTS, DOCUMENTS))
    assert lines[0].startswith("100.0 % of the documents are lines of the training corpus: name held-out")


def test_without_the_training_corpus_an_auc_far_below_a_half_is_the_hint_that_they_are_not() -> None:
    own = [f"{text} {number}" for number, text in enumerate(DOCUMENTS)]
    lines = advice(compare(own[::-1], own))
    assert lines[0].endswith(": perhaps the model was trained on these documents; name held-out ones")


def test_documents_beside_documents_have_nothing_that_stands_out() -> None:
    chance = random.Random(1)
    samples = [chance.choices(DOCUMENTS, k=300) for _ in range(2)]
    lines = advice(compare(samples[0], samples[1], ["Something else"]))
    assert lines == ["the texts are much like the documents: no figure stands out"]
    assert advice(compare(["a b c"], ["a c b"])) == [
        "nothing stands out, but there are few texts to judge by: 1 of each"
    ]


def test_a_narrow_decoder_is_said_first_since_it_explains_the_rest() -> None:
    lines = advice(compare(["", *["The the g."] * 150], DOCUMENTS))
    assert lines[0].endswith("(--decoder temperature cuts none)")
    assert len(lines) > 1
    assert advice(compare(["The g."] * 150, DOCUMENTS), from_all=True)[0].endswith("; try more text")


def test_chance_is_no_reason_for_advice() -> None:
    one_in_120 = ["The the a b.", *PLAIN[:119]]
    assert not any("double" in line for line in advice(compare(one_in_120, DOCUMENTS)))


def test_a_sample_is_of_everything_always_the_same_and_reads_once() -> None:
    def numbers() -> Iterator[int]:
        yield from range(10_000)

    sample = sampled(numbers(), 100)
    assert sample == sampled(range(10_000), 100)
    assert len(set(sample)) == 100
    assert 4_000 < sum(sample) / 100 < 6_000
    assert sample != sorted(sample)
    assert sorted(sampled(range(7), 10)) == list(range(7))
    assert sampled([], 3) == []


@pytest.mark.parametrize("training", [None, PLAIN])
def test_the_picture_is_a_small_png(tmp_path: Path, training: list[str] | None) -> None:
    path = tmp_path / "report.png"
    draw_report(compare(PLAIN, DOCUMENTS, training), path)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert len(content) < 100_000
    assert [file.name for file in tmp_path.iterdir()] == ["report.png"]


def test_a_picture_needs_a_folder_and_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = compare(PLAIN, DOCUMENTS)
    with pytest.raises(OptionError, match="there is no folder"):
        draw_report(report, tmp_path / "missing" / "report.png")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(genrun.MissingExtraError, match="a plot needs matplotlib"):
        draw_report(report, tmp_path / "report.png")
