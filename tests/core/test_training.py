"""Training: it learns, it is the same every time, and it keeps the best."""

from __future__ import annotations

from pathlib import Path

import pytest

import genrun
from genrun_core.backend import memory_errors
from genrun_core.recipes.recipe import load_recipe
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.train import train as train_model
from support.trained import metrics, train, weights


def test_three_sentences_are_learnt_by_heart(racetrack_run: Path) -> None:
    rows = metrics(racetrack_run)
    assert len(rows) == 200
    assert float(rows[-1]["loss"]) < 0.15
    assert float(rows[-1]["accuracy"]) == 1.0


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(samples: Path, tmp_path: Path) -> None:
    settings = {"epochs": "3", "architecture": "lstm", "dropout": "0.3"}
    for name, seed in (("one", "5"), ("two", "5"), ("three", "6")):
        train([samples / "racetrack.txt"], "racetrack", tmp_path / name, {**settings, "seed": seed})
    assert weights(tmp_path / "one") == weights(tmp_path / "two")
    assert weights(tmp_path / "one") != weights(tmp_path / "three")


def test_training_stops_when_the_held_out_loss_no_longer_falls_and_the_best_is_kept(
    samples: Path, tmp_path: Path
) -> None:
    settings = {"hidden_size": "32", "embedding_size": "16", "layers": "1", "batch_size": "4", "patience": "2"}
    settings |= {"learning_rate": "0.05", "epochs": "40"}
    recipe, run = load_recipe("lyricist", settings), tmp_path / "run"
    said: list[str] = []
    train_model([str(samples / "songs" / "*.txt")], recipe, run, say=said.append)
    assert "stopped early: no better val_loss for 2 epochs" in said
    losses = [float(row["val_loss"]) for row in metrics(run)]
    best = losses.index(min(losses))
    assert len(losses) == best + 3 < 40

    from genrun_core.training.fit import make_fitting
    from genrun_core.training.prepared import prepare
    from support.keras_files import load_network

    fitting = make_fitting(prepare(RunFolder.open(run), RunFolder.open(run).recipe()))
    fitting.network.set_weights(load_network(run / "model.keras").get_weights())
    kept = fitting.evaluate()["val_loss"]
    assert kept == pytest.approx(min(losses), rel=1e-5)


def test_exhausted_memory_is_one_line() -> None:
    import tensorflow as tf

    error: Exception
    for error in (MemoryError(), tf.errors.ResourceExhaustedError(None, None, "OOM when allocating\n[[pages]]")):
        with (
            pytest.raises(genrun.TrainingError, match="not enough memory for this network and batch"),
            memory_errors(),
        ):
            raise error


def test_a_network_that_cannot_fit_is_refused_before_it_is_built(samples: Path, tmp_path: Path) -> None:
    settings = {"hidden_size": "65536", "layers": "9"}
    with pytest.raises(genrun.TrainingError, match=r"a network of [\d,]+ parameters needs about [\d,]+ GiB to train"):
        train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", settings)
    assert not (tmp_path / "run").exists()
