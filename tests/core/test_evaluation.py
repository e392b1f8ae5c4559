"""Evaluation: the same figures for a run and its model file, and the ones that training and scoring compute."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest
from click.testing import CliRunner

import genrun
from genrun.cli.group import cli
from genrun_core.evaluation.evaluation import evaluate
from genrun_core.recipes.sections import PluginChoice
from genrun_core.runs.token_shards import TokenShards
from genrun_export.exporting import export
from support.trained import train

LYRICS = PluginChoice("lyrics-glob")


def test_a_run_and_its_model_file_give_the_same_figures(samples: Path, songs_run: Path, songs_model: Path) -> None:
    songs = [str(samples / "songs" / "*.txt")]
    run, model = evaluate(songs_run, songs), evaluate(songs_model, songs, LYRICS)
    assert (run.documents, run.tokens, run.characters, run.unknown) == (
        (model.documents, model.tokens, model.characters, model.unknown)
    )
    assert run.unknown > 0
    assert run.log_probability == pytest.approx(model.log_probability, rel=1e-6)
    assert run.perplexity == pytest.approx(model.perplexity, rel=1e-5)


def test_the_figures_are_those_of_scoring_each_document(samples: Path, songs_model: Path) -> None:
    songs = [str(samples / "songs" / "the_tide.txt")]
    found = evaluate(songs_model, songs, LYRICS)
    lines = [line.strip() for line in (samples / "songs" / "the_tide.txt").read_text("utf-8").splitlines()]
    documents = [line for line in lines if line and not line.endswith(":")]
    scores = list(genrun.load(songs_model).score_each(documents))
    assert found.documents == len(documents)
    assert found.characters == sum(map(len, documents))
    assert found.tokens == sum(score.tokens for score in scores)
    assert found.log_probability == pytest.approx(sum(score.log_probability for score in scores))
    assert found.perplexity == pytest.approx(math.exp(-found.log_probability / found.tokens))
    assert found.bits_per_character == pytest.approx(-found.log_probability / math.log(2) / found.characters)


def test_the_perplexity_on_its_own_corpus_is_that_of_training(samples: Path, racetrack_run: Path) -> None:
    """Without dropout, the loss of the next epoch's beginning is the loss after this one."""
    with (racetrack_run / "metrics.csv").open(encoding="utf-8") as file:
        last = list(csv.DictReader(file))[-1]
    found = evaluate(racetrack_run, [str(samples / "racetrack.txt")])
    assert found.tokens == 11
    assert math.log(found.perplexity) == pytest.approx(float(last["loss"]), rel=0.05)


def test_a_document_longer_than_a_piece_is_scored_whole(
    racetrack_run: Path, racetrack_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "long.txt").write_text("그의 말이 법이다 " * 900 + "\n말이\n", "utf-8")
    run, model = (evaluate(path, [str(tmp_path / "long.txt")]) for path in (racetrack_run, racetrack_model))
    assert run.tokens == model.tokens == 2699
    assert run.log_probability == pytest.approx(model.log_probability, rel=1e-4)


def test_a_corpus_with_nothing_to_predict_is_an_error(racetrack_model: Path, tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("말이\n가는\n", "utf-8")
    with pytest.raises(genrun.CorpusError, match="nothing to predict"):
        evaluate(racetrack_model, [str(tmp_path / "short.txt")])


def test_the_command_prints_text_and_json(samples: Path, songs_model: Path) -> None:
    asked = ["evaluate", str(songs_model), str(samples / "songs" / "*.txt"), "--reader", "lyrics-glob"]
    text = CliRunner().invoke(cli, asked)
    figures = json.loads(CliRunner().invoke(cli, [*asked, "--json"]).stdout)
    assert text.stdout == (
        f"perplexity {figures['perplexity']:.2f} ({figures['known_perplexity']:.2f} for words of the vocabulary), "
        f"{figures['bits_per_character']:.3f} bits a character\n"
    )
    assert f"{figures['tokens']:,} predicted tokens" in text.stderr


def test_options_without_their_reader_are_refused(songs_model: Path) -> None:
    asked = ["evaluate", str(songs_model), "x.txt", "--set", "encoding=cp1252"]
    result = CliRunner().invoke(cli, asked)
    assert isinstance(result.exception, genrun.OptionError)
    assert "name it with --reader" in str(result.exception)


def test_a_running_text_is_one_text_for_a_run_its_file_and_its_own_validation(samples: Path, tmp_path: Path) -> None:
    """The state and the last token go on from document to document, as they did in training."""
    settings = {"running_text": "true", "sequence_length": "7", "batch_size": "1", "hidden_size": "16"}
    settings |= {"embedding_size": "8", "epochs": "1", "patience": "0", "validation": "0.2"}
    run = train([samples / "songs" / "*.txt"], "lyricist", tmp_path / "run", settings)
    export(run, tmp_path / "model.onnx")
    texts = [str(samples / "songs" / "*.txt")]
    by_run, by_file = evaluate(run, texts), evaluate(tmp_path / "model.onnx", texts, LYRICS)
    assert by_run.tokens == by_file.tokens == len(TokenShards.open(run / "tokens").ids) - 1
    assert by_file.log_probability == pytest.approx(by_run.log_probability, rel=1e-6)
    apart = evaluate(tmp_path / "model.onnx", texts, LYRICS, running_text=False)
    assert apart.tokens == by_run.tokens - (apart.documents - 1)
    assert apart.log_probability != pytest.approx(by_run.log_probability, rel=1e-4)

    whole = "".join(path.read_text("utf-8") for path in sorted((samples / "songs").glob("*.txt")))
    lines = [line.strip() for line in whole.splitlines()]
    documents = [line for line in lines if line and not line.endswith(":")]
    (tmp_path / "held-out.txt").write_text("\n".join(documents[-round(len(documents) * 0.2) :]) + "\n", "utf-8")
    with (run / "metrics.csv").open(encoding="utf-8") as file:
        losses = [float(row["val_loss"]) for row in csv.DictReader(file)]
    found = evaluate(run, [str(tmp_path / "held-out.txt")], PluginChoice("text"))
    assert math.log(found.perplexity) == pytest.approx(min(losses), rel=1e-5)
