"""Run folders of n-gram models: counted, resumed, evaluated, and compared with networks."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from genrun.errors import GenrunError, OptionError, RunFolderError
from genrun_core.counting.counting_file import fingerprint, load_counting
from genrun_core.evaluation.counting_scorer import CountingScorer
from genrun_core.evaluation.evaluation import evaluate
from genrun_core.evaluation.keras_scorer import KerasScorer
from genrun_core.network.network_file import load_network_of
from genrun_core.recipes.recipe import load_recipe
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.comparison import compare_with_counting
from genrun_core.training.prepared import prepare
from genrun_core.training.train import resume, train
from support.trained import metrics

LINES = [
    f"the {who} {what} the {where}"
    for who in ("council", "mayor", "ferry", "harbour")
    for what in ("closes", "opens", "paints", "leaves")
    for where in ("bridge", "school", "market", "station", "river")
]


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(LINES), "utf-8")
    return path


def counted(
    lines: Path, settings: Mapping[str, str] | None = None, recipe: str = "ngram"
) -> tuple[RunFolder, list[str]]:
    said: list[str] = []
    run = train([str(lines)], load_recipe(recipe, settings), lines.parent / "run", say=said.append)
    return run, said


def digest(run: RunFolder) -> str:
    return fingerprint(load_counting(run, run.recipe(), run.tokenizer()))


def test_counting_leaves_the_figures_that_a_training_leaves(lines: Path) -> None:
    run, said = counted(lines)
    [row] = metrics(run.path)
    card = RunFolder.open(run.path).card()
    assert {"epoch", "loss", "perplexity", "val_loss", "val_perplexity", "seconds"} == set(row)
    assert float(row["val_perplexity"]) == pytest.approx(math.exp(float(row["val_loss"])))
    assert card["training"]["val_perplexity"] == pytest.approx(float(row["val_perplexity"]), abs=1e-5)
    assert card["architecture"]["order"] == 3
    assert any(line.startswith("loss ") and "val_perplexity" in line for line in said)


def test_val_perplexity_is_what_evaluate_finds_on_the_held_out_documents(lines: Path) -> None:
    run, _ = counted(lines)
    held_out = run.shards(run.tokenizer()).held_out
    (lines.parent / "held-out.txt").write_text("\n".join(LINES[i] for i in held_out), "utf-8")
    found = evaluate(run.path, [str(lines.parent / "held-out.txt")]).perplexity
    assert found == pytest.approx(float(metrics(run.path)[0]["val_perplexity"]), rel=1e-9)


@pytest.mark.parametrize("settings", [{}, {"running_text": "true"}, {"kind": "char"}, {"specials": "unk"}])
def test_words_characters_running_text_and_lines_without_start_are_counted(
    lines: Path, settings: dict[str, str]
) -> None:
    run, _ = counted(lines, settings)
    figures = evaluate(run.path, [str(lines)])
    assert 1 < figures.perplexity < 20
    assert run.recipe().adapt == ()
    assert run.recipe().model.order == (5 if settings.get("kind") == "char" else 3)


def test_the_words_of_any_recipe_can_be_counted_and_what_is_for_networks_is_named(lines: Path) -> None:
    run, said = counted(lines, {"architecture": "ngram"}, "default")
    assert not run.network_file.exists()
    assert any("makes no use of tied" in line and "learning_rate" in line for line in said)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"epochs": "3"}, "epochs is for networks"),
        ({"hidden_size": "64"}, "hidden_size is for networks"),
        ({"order": "6"}, "order must be from 2 to 5"),
        ({"order": "3", "architecture": "lstm"}, "order is for counting=true and architecture=ngram"),
        ({"recent": "500", "architecture": "lstm"}, "recent is for counting=true"),
        ({"recent": "1", "counting": "true"}, "recent must be 0, or from 2 to 10,000, not 1"),
    ],
)
def test_a_setting_that_would_have_no_effect_is_refused(settings: dict[str, str], named: str) -> None:
    with pytest.raises(OptionError, match=named):
        load_recipe("ngram", settings)


def test_an_order_that_is_given_is_kept(lines: Path) -> None:
    run, _ = counted(lines, {"order": "2"})
    assert run.recipe().model.order == run.card()["architecture"]["order"] == 2


@pytest.mark.parametrize("lost", ["counting.npz", "metrics.csv", "card.json", "corpus.json"])
def test_a_resume_makes_what_a_kill_kept_from_being_written(lines: Path, lost: str) -> None:
    run, _ = counted(lines)
    before = digest(run)
    (run.path / lost).unlink()
    said: list[str] = []
    resume(run.path, say=said.append)
    assert (run.path / lost).exists()
    assert digest(RunFolder.open(run.path)) == before
    assert "nothing to do: everything is counted" not in said or lost == "corpus.json"


def test_a_resume_of_a_counted_run_that_is_complete_changes_nothing(lines: Path) -> None:
    run, _ = counted(lines)
    before = {path.name: path.stat().st_mtime_ns for path in run.path.iterdir() if path.is_file()}
    said: list[str] = []
    resume(run.path, say=said.append)
    assert said[-1] == "nothing to do: everything is counted"
    assert before == {path.name: path.stat().st_mtime_ns for path in run.path.iterdir() if path.is_file()}
    with pytest.raises(OptionError, match="no epochs"):
        resume(run.path, epochs=5)


def test_a_damaged_counted_model_is_named(lines: Path) -> None:
    run, _ = counted(lines)
    content = bytearray(run.counting_file.read_bytes())
    content[len(content) // 2] ^= 1
    run.counting_file.write_bytes(content)
    with pytest.raises(RunFolderError, match=r"counting\.npz is damaged"):
        evaluate(run.path, [str(lines)])


@pytest.mark.parametrize("name", ["keys.1", "shares.2", "backoffs.2", "totals.1", "shape"])
def test_arrays_that_do_not_belong_together_are_no_model(lines: Path, name: str) -> None:
    run, _ = counted(lines)
    with np.load(run.counting_file) as file:
        arrays = dict(file)
    arrays[name] = arrays[name][:-1]
    np.savez(run.counting_file, **arrays)
    with pytest.raises(RunFolderError, match=r"counting\.npz cannot be loaded"):
        evaluate(run.path, [str(lines)])


def test_fine_tuning_a_counted_model_is_refused_and_its_words_can_be_used(lines: Path) -> None:
    run, _ = counted(lines)
    with pytest.raises(OptionError, match="--words-of"):
        train([str(lines)], load_recipe("ngram"), lines.parent / "tuned", base=run.path)
    other = lines.parent / "other.txt"
    other.write_text("".join(f"the ferry closes the unheard bridge {i}\n" for i in range(20)), "utf-8")
    again = train([str(other)], load_recipe("ngram"), lines.parent / "words", words_of=run.path)
    assert again.tokenizer().vocabulary == run.tokenizer().vocabulary


def test_a_corpus_that_cannot_be_counted_leaves_no_folder(lines: Path) -> None:
    lines.write_text("one\n", "utf-8")
    with pytest.raises(GenrunError, match="validation"):
        counted(lines)
    assert not (lines.parent / "run").exists()


def test_a_text_that_is_scored_in_parts_is_the_text_scored_at_once(lines: Path) -> None:
    run, _ = counted(lines, {"kind": "char", "specials": "unk", "running_text": "true"})
    scorer = CountingScorer(load_counting(run, run.recipe(), run.tokenizer()))
    text = run.tokenizer().encode(" ".join(LINES[:6])).ids
    [whole] = scorer.score([text])
    for length in (1, 2, 3, 7, 50):
        states, parts = None, []
        for first in range(0, len(text), length):
            part = text[max(first - 1, 0) : first + length]
            logs, states = scorer.carry(part, states)
            parts.append(logs)
        np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-12)


def test_counting_does_not_load_tensorflow(lines: Path) -> None:
    code = (
        "import sys; from genrun.cli import main; sys.argv = ['genrun', *sys.argv[1:]]\n"
        "try: main()\nexcept SystemExit as end: assert not end.code\n"
        "assert not {'tensorflow', 'keras', 'matplotlib'} & set(sys.modules)"
    )
    run = lines.parent / "run"
    command = [sys.executable, "-c", code, "train", str(lines), "--recipe", "ngram", "-o", str(run)]
    subprocess.run(command, check=True, capture_output=True)
    assert (run / "counting.npz").exists()


def test_a_training_is_compared_with_counting_the_same_documents(
    songs_run: Path, samples: Path, tmp_path: Path
) -> None:
    card = RunFolder.open(songs_run).card()
    settings = {"vocabulary_limit": "120", "architecture": "ngram", "order": str(card["counting"]["order"])}
    recipe = load_recipe("lyricist", settings)
    run = train([str(samples / "songs" / "*.txt")], recipe, tmp_path / "counted")
    assert run.card()["training"]["val_perplexity"] == pytest.approx(card["counting"]["perplexity"], abs=1e-5)


def test_the_line_about_counting_names_both_figures_and_the_better_one(songs_run: Path) -> None:
    run = RunFolder.open(songs_run)
    figures = run.card()["counting"]
    perplexity, known = figures["perplexity"], figures["known_perplexity"]
    prepared, network = prepare(run, run.recipe()), KerasScorer(load_network_of(run, run.recipe(), run.tokenizer()))

    def said(row: dict[str, float]) -> str:
        return "".join(compare_with_counting(prepared, row, network, "").lines)

    worse = said({"val_perplexity": 2 * perplexity})
    assert f"perplexity {perplexity:.1f}; this network {2 * perplexity:.1f}: --set architecture=ngram" in worse
    assert said({"val_perplexity": 0.9 * perplexity}).endswith(f"this network {0.9 * perplexity:.1f}: 10% less")
    both = said({"val_perplexity": 0.9 * perplexity, "val_known_perplexity": 1.5 * known})
    assert f"known words of the held-out documents with perplexity {known:.1f}" in both
    assert f"this network {1.5 * known:.1f}: --set architecture=ngram" in both  # by known words, as the figures
    assert said({"loss": 1.0}) == ""


@pytest.mark.parametrize(
    "settings", [{}, {"running_text": "true", "sequence_length": "64"}], ids=["documents", "text"]
)
def test_one_held_out_document_is_enough_to_mix_where_counts_are_much_better(
    lines: Path, settings: dict[str, str]
) -> None:
    """A network of one epoch knows nothing yet; the document is judged by its parts."""
    paragraphs = [" ".join(LINES[start::5] * 2) for start in range(5)]
    lines.write_text("\n".join(paragraphs), "utf-8")
    size = {"epochs": "1", "hidden_size": "8", "embedding_size": "8", "counting": "true", "validation": "0.1"}
    run, said = counted(lines, {**size, **settings}, "lyricist")
    assert "the model mixes both" in "".join(said)
    figures = run.card()
    assert figures["mixture"]["perplexity"] < 0.8 * figures["training"]["val_perplexity"]
