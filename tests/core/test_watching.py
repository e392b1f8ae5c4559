"""Watching a training: a text now and then, TensorBoard's files, and not one bit of what is learnt changes."""

from __future__ import annotations

from pathlib import Path

import pytest

import genrun
from genrun_core.recipes.recipe import load_recipe
from genrun_core.training.train import train as train_model
from genrun_core.training.watch import Watch
from support.trained import train, weights

SETTINGS = {"epochs": "4", "hidden_size": "16", "embedding_size": "8"}


def watched(samples: Path, output: Path, watch: Watch, recipe: str = "racetrack") -> list[str]:
    said: list[str] = []
    settings = {**SETTINGS, "architecture": "lstm"} if recipe == "racetrack" else SETTINGS
    train_model([str(samples / "racetrack.txt")], load_recipe(recipe, settings), output, say=said.append, watch=watch)
    return said


def test_a_text_is_written_every_so_many_epochs(samples: Path, tmp_path: Path) -> None:
    said = watched(samples, tmp_path / "run", Watch(sample_every=2))
    texts = [line for line in said if " writes: " in line]
    assert [line.split(" writes: ")[0] for line in texts] == ["epoch 2", "epoch 4"]
    words = (samples / "racetrack.txt").read_text("utf-8").split()
    for line in texts:
        assert set(line.split(" writes: ")[1].split()) <= set(words)


def test_watching_changes_nothing_that_is_learnt(samples: Path, tmp_path: Path) -> None:
    watched(samples, tmp_path / "watched", Watch(sample_every=1, tensorboard=True))
    train([samples / "racetrack.txt"], "racetrack", tmp_path / "alone", {**SETTINGS, "architecture": "lstm"})
    assert weights(tmp_path / "watched") == weights(tmp_path / "alone")


def test_tensorboard_gets_the_metrics_of_every_epoch(samples: Path, tmp_path: Path) -> None:
    import tensorflow as tf

    watched(samples, tmp_path / "run", Watch(tensorboard=True))
    (file,) = (tmp_path / "run" / "tensorboard").iterdir()
    steps = [
        event.step
        for record in tf.data.TFRecordDataset(str(file))
        for event in [tf.compat.v1.Event.FromString(record.numpy())]
        for value in event.summary.value
        if value.tag == "loss"
    ]
    assert steps == [1, 2, 3, 4]


def test_a_negative_number_of_epochs_is_refused() -> None:
    with pytest.raises(genrun.OptionError, match="sample_every must be 0"):
        Watch(sample_every=-1)
