"""A loss that is no longer a number: where it happened is said, and what was saved before can be gone on from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import genrun
from genrun_core.backend import prepare_backend
from genrun_core.recipes.recipe import load_recipe
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.train import resume
from genrun_core.training.train import train as train_model
from support.trained import copy_of_trained, learnt, metrics, train, weights

prepare_backend()

import keras  # noqa: E402

from genrun_core.training.prepared import prepare  # noqa: E402
from genrun_core.training.saving.recorder import Recorder  # noqa: E402
from genrun_core.training.stepping.training_loop import Fitting  # noqa: E402

SMALL = {"hidden_size": "12", "embedding_size": "8", "layers": "1", "batch_size": "4", "epochs": "4", "patience": "0"}


class Spoil(keras.callbacks.Callback):  # type: ignore[misc]
    """Ruins the weights after one step of one epoch, as a gradient that explodes does."""

    def __init__(self, epoch: int, step: int) -> None:
        super().__init__()
        self.place = (epoch, step)
        self.epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if (self.epoch, batch + 1) == self.place:
            for variable in self.model.trainable_variables:
                variable.assign(np.full(variable.shape, np.nan))


def test_a_learning_rate_that_is_far_too_high_is_an_error_that_says_what_to_do(samples: Path, tmp_path: Path) -> None:
    settings = {"learning_rate": "1e38", "optimizer": "sgd", "epochs": "9"}
    with pytest.raises(genrun.TrainingError, match=r"the loss became \S+ in step \d of epoch \d; .* clip_norm=1"):
        train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", settings)


@pytest.mark.parametrize("step", [1, 15, 16])
def test_the_step_and_epoch_are_named_however_late_it_is_noticed(step: int, samples: Path, tmp_path: Path) -> None:
    """Losses are looked at every 16 steps, and at the end of an epoch."""
    recipe = load_recipe("lyricist", SMALL)
    with pytest.raises(genrun.TrainingError, match=rf"the loss became nan in step {step + 1} of epoch 3;"):
        train_model(
            [str(samples / "songs" / "*.txt")], recipe, tmp_path / "run", callbacks=[Spoil(epoch=3, step=step)]
        )


def test_what_was_saved_before_can_be_gone_on_from(samples: Path, tmp_path: Path) -> None:
    recipe, songs = load_recipe("lyricist", SMALL), [str(samples / "songs" / "*.txt")]
    whole = copy_of_trained(songs, "lyricist", tmp_path / "whole", SMALL)
    spoilt = tmp_path / "spoilt"
    with pytest.raises(genrun.TrainingError, match="what was saved before is kept"):
        train_model(songs, recipe, spoilt, callbacks=[Spoil(epoch=3, step=2)])
    assert all(np.isfinite(np.frombuffer(array, np.float32)).all() for array in weights(spoilt))
    assert 1 <= len(metrics(spoilt)) <= 2
    resume(spoilt)  # without the accident
    assert weights(spoilt) == weights(whole)
    assert learnt(spoilt) == learnt(whole)


@pytest.mark.parametrize("large", [1 << 26, 0], ids=["copied", "saved at once"])
def test_a_best_epoch_that_was_only_in_memory_is_saved(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: int
) -> None:
    """What is larger than ``large`` bytes is not copied in memory, but saved after each better epoch."""
    monkeypatch.setattr(Fitting, "LARGE", large)
    songs = [str(samples / "songs" / "*.txt")]
    until, spoilt = tmp_path / "until", tmp_path / "spoilt"
    whole = copy_of_trained(songs, "lyricist", tmp_path / "whole", SMALL)
    monkeypatch.setattr(Recorder, "_SHARE", 1e9)  # no save between the first epoch and the last
    train(songs, "lyricist", until, {**SMALL, "epochs": "3"})
    with pytest.raises(genrun.TrainingError, match="the loss became nan in step 3 of epoch 4"):
        train_model(songs, load_recipe("lyricist", SMALL), spoilt, callbacks=[Spoil(epoch=4, step=2)])
    assert learnt(spoilt) == learnt(until)
    assert RunFolder.open(spoilt).card()["training"]["best epoch"] == 3
    assert weights(spoilt) == weights(until)
    resume(spoilt)
    assert weights(spoilt) == weights(whole)


def test_a_large_network_is_saved_itself_without_its_optimizer(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network in training has dropout and Adam's moments; the file is that of a network that was copied."""
    songs = [str(samples / "songs" / "*.txt")]
    runs = {large: tmp_path / str(large) for large in (1 << 26, 0)}
    for large, run in runs.items():
        monkeypatch.setattr(Fitting, "LARGE", large)
        train(songs, "lyricist", run, {**SMALL, "dropout": "0.3"})
    copied, itself = runs.values()
    assert weights(itself) == weights(copied)
    assert learnt(itself) == learnt(copied)
    sizes = [(run / "model.keras").stat().st_size for run in (copied, itself)]
    assert abs(sizes[0] - sizes[1]) < 64  # of the day and hour within


def test_memory_that_ends_while_a_better_epoch_is_copied_mixes_no_epochs(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second epoch is in memory alone, and the third, a better one, does not fit beside it."""
    songs, short, run = [str(samples / "songs" / "*.txt")], tmp_path / "short", tmp_path / "run"
    train(songs, "lyricist", short, {**SMALL, "epochs": "1"})
    monkeypatch.setattr(Recorder, "_SHARE", 1e9)  # no save between the first epoch and the last
    checkpoint = Recorder._checkpoint

    def full(recorder: Recorder, *, kept: bool = False) -> object:
        if kept and recorder.best["epoch"] == 3:
            raise MemoryError
        return checkpoint(recorder, kept=kept)

    monkeypatch.setattr(Recorder, "_checkpoint", full)
    with pytest.raises(genrun.TrainingError, match="memory"):
        train(songs, "lyricist", run, SMALL)
    assert RunFolder.open(run).card()["training"]["best epoch"] == 1
    assert weights(run) == weights(short)


def test_a_long_epoch_that_is_saved_within_is_never_saved_spoilt(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recorder, "_SECONDS", 0.0)
    monkeypatch.setattr(Recorder, "_SHARE", 0)  # after every step
    recipe, songs = load_recipe("lyricist", {**SMALL, "epochs": "1"}), [str(samples / "songs" / "*.txt")]
    with pytest.raises(genrun.TrainingError, match="the loss became nan in step 4 of epoch 1;"):
        train_model(songs, recipe, tmp_path / "run", callbacks=[Spoil(epoch=1, step=3)])
    said: list[str] = []
    resume(tmp_path / "run", say=said.append)
    assert "continuing after epoch 0 of 1, step 3 of the next" in said
    assert all(np.isfinite(np.frombuffer(array, np.float32)).all() for array in weights(tmp_path / "run"))


def test_a_validation_that_is_no_number_stops_before_anything_of_it_is_saved(samples: Path, tmp_path: Path) -> None:
    """As after a last step that ruins the weights: no loss of training has seen them yet."""
    recipe, songs = load_recipe("lyricist", SMALL), [str(samples / "songs" / "*.txt")]
    whole = copy_of_trained(songs, "lyricist", tmp_path / "whole", SMALL)
    with pytest.raises(genrun.TrainingError, match="the val_loss of epoch 2 is nan"):
        train_model(songs, recipe, tmp_path / "run", callbacks=[Spoil(epoch=2, step=steps_of(whole))])
    assert len(metrics(tmp_path / "run")) == 1
    resume(tmp_path / "run")
    assert weights(tmp_path / "run") == weights(whole)


def steps_of(run: Path) -> int:
    """How many steps an epoch of the run has."""
    opened = RunFolder.open(run)
    return prepare(opened, opened.recipe()).training.steps(0)
