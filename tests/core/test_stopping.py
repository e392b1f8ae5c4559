"""A training that is asked to stop finishes its step and saves; going on ends at the same bits."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import genrun
from genrun_core.backend import prepare_backend
from genrun_core.recipes.recipe import load_recipe
from genrun_core.training.train import resume
from genrun_core.training.train import train as train_model
from support.trained import learnt, metrics, train, weights

prepare_backend()

import keras  # noqa: E402

from genrun_core.training.saving.recorder import Recorder  # noqa: E402

SMALL = {"hidden_size": "12", "embedding_size": "8", "layers": "1", "batch_size": "8", "epochs": "3", "patience": "0"}
REGULARIZED = {
    "dropout": "0.3",
    "input_dropout": "0.2",
    "recurrent_dropout": "0.2",
    "embedding_dropout": "0.2",
    "locked_dropout": "true",
}
EVERYTHING = {
    **REGULARIZED,
    "layers": "2",
    "tied": "true",
    "running_text": "true",
    "sequence_length": "12",
    "optimizer": "adamw",
    "weight_decay": "0.01",
    "schedule": "cosine",
    "warmup_steps": "9",
    "clip_norm": "0.5",
    "averaging": "0.9",
    "sampled_softmax": "40",
    "full_softmax": "0.4",
}


class StopAt(keras.callbacks.Callback):  # type: ignore[misc]
    """Presses Ctrl-C after so many steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if not self.left:
            signal.raise_signal(signal.SIGINT)


class CountSteps(keras.callbacks.Callback):  # type: ignore[misc]
    """Counts the steps of each epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[int] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epochs.append(0)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.epochs[-1] += 1


def stopped(samples: Path, run: Path, settings: Mapping[str, str], *steps: int) -> list[str]:
    """Train, stop after so many steps, go on, stop again, …, go on to the end; return what was said at the stops."""
    recipe, songs = load_recipe("lyricist", settings), [str(samples / "songs" / "*.txt")]
    with pytest.raises(genrun.TrainingInterrupted) as caught:
        train_model(songs, recipe, run, callbacks=[StopAt(steps[0])])
    said = [str(caught.value)]
    for count in steps[1:]:
        with pytest.raises(genrun.TrainingInterrupted) as caught:
            resume(run, callbacks=[StopAt(count)])
        said.append(str(caught.value))
    resume(run)
    return said


def assert_same(one: Path, other: Path) -> None:
    """Two runs have learnt the same, to the bit, and have the same card."""
    cards = [json.loads((run / "card.json").read_text("utf-8")) for run in (one, other)]
    for card in cards:
        del card["date"]  # midnight may pass between them
    assert learnt(one) == learnt(other)
    assert weights(one) == weights(other)
    assert cards[0] == cards[1]
    assert checkpoint(one) == checkpoint(other)


def checkpoint(run: Path) -> dict[str, bytes]:
    """The latest weights, moments, averages and random states of a run, to the bit.

    Where it was saved decides whether it has the best weights too, until they are in their file.
    """
    import numpy as np

    with np.load(run / "checkpoint" / "latest.npz") as arrays:
        names = [name for name in arrays if name != "position" and not name.startswith("best/")]
        return {name: arrays[name].tobytes() for name in names}


def test_with_everything_on_a_training_stopped_anywhere_ends_at_the_same_bits(samples: Path, tmp_path: Path) -> None:
    settings, counter = {**SMALL, **EVERYTHING}, CountSteps()
    songs, whole = [str(samples / "songs" / "*.txt")], tmp_path / "whole"
    train_model(songs, load_recipe("lyricist", settings), whole, callbacks=[counter])
    first, second = sorted(random.Random(3).sample(range(1, sum(counter.epochs)), 2))
    stopped(samples, tmp_path / "parts", settings, first, second - first)
    assert_same(whole, tmp_path / "parts")


OTHERS = {
    "lstm, documents": {"architecture": "lstm", "optimizer": "adamw", "averaging": "0.8", **REGULARIZED},
    "gru, plateau": {"architecture": "gru", "schedule": "plateau", "optimizer": "rmsprop", "learning_rate": "0.3"},
    "simple-rnn, running": {
        "architecture": "simple-rnn",
        "running_text": "true",
        "optimizer": "sgd",
        "dropout": "0.2",
    },
    "window, float16": {"architecture": "window", "precision": "float16", "input_dropout": "0.3"},
}


@pytest.mark.parametrize("settings", OTHERS.values(), ids=OTHERS)
def test_a_training_stopped_in_the_middle_of_an_epoch_ends_at_the_same_bits(
    settings: dict[str, str], samples: Path, tmp_path: Path
) -> None:
    settings = {**SMALL, "sequence_length": "16", **settings}
    whole = train([samples / "songs" / "*.txt"], "lyricist", tmp_path / "whole", settings)
    said = stopped(samples, tmp_path / "parts", settings, 15)
    assert "of epoch" in said[0]
    assert_same(whole, tmp_path / "parts")


@pytest.fixture(scope="module")
def whole(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """A run of SMALL that nothing stopped, and the number of steps of each epoch."""
    run, counter, songs = tmp_path_factory.mktemp("whole") / "run", CountSteps(), [str(samples / "songs" / "*.txt")]
    train_model(songs, load_recipe("lyricist", SMALL), run, callbacks=[counter])
    return run, counter.epochs


def test_where_it_stopped_is_said(whole: tuple[Path, list[int]], samples: Path, tmp_path: Path) -> None:
    first = whole[1][0]
    said = stopped(samples, tmp_path / "parts", SMALL, first - 1, 3)
    assert said[0] == f"stopped after step {first - 1} of epoch 1; everything is saved"
    assert said[1] == "stopped after step 2 of epoch 2; everything is saved"
    assert_same(whole[0], tmp_path / "parts")


@pytest.mark.parametrize("last", [False, True], ids=["of the first epoch", "of all"])
def test_a_stop_after_the_last_step_loses_nothing(
    last: bool, whole: tuple[Path, list[int]], samples: Path, tmp_path: Path
) -> None:
    stopped(samples, tmp_path / "parts", SMALL, sum(whole[1]) if last else whole[1][0])
    assert_same(whole[0], tmp_path / "parts")


def test_a_second_interrupt_stops_at_once(samples: Path, tmp_path: Path) -> None:
    class Impatient(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            signal.raise_signal(signal.SIGINT)
            reached.append("first")
            signal.raise_signal(signal.SIGINT)
            reached.append("second")

    reached: list[str] = []
    songs, recipe = [str(samples / "songs" / "*.txt")], load_recipe("lyricist", SMALL)
    with pytest.raises(KeyboardInterrupt):
        train_model(songs, recipe, tmp_path / "run", callbacks=[Impatient()])
    assert reached == ["first"]
    assert not (tmp_path / "run" / "checkpoint" / "latest.npz").exists()
    resume(tmp_path / "run")
    assert len(metrics(tmp_path / "run")) == 3


def test_a_signal_that_the_process_ignores_stays_ignored(samples: Path, tmp_path: Path) -> None:
    """As for what a shell script runs in the background: Ctrl-C is for the script."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        recipe = load_recipe("racetrack", {"epochs": "3"})
        train_model([str(samples / "racetrack.txt")], recipe, tmp_path / "run", callbacks=[StopAt(1)])
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(metrics(tmp_path / "run")) == 3


def test_a_kill_costs_only_the_steps_since_the_last_save(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long epochs are saved within, too: here after every step."""

    class Killed(BaseException):
        pass

    class KillAt(StopAt):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.left -= 1
            if not self.left:
                raise Killed

    monkeypatch.setattr(Recorder, "_SECONDS", 0.0)
    monkeypatch.setattr(Recorder, "_SHARE", 0)
    settings, songs = {**SMALL, "dropout": "0.3"}, [str(samples / "songs" / "*.txt")]
    with pytest.raises(Killed):
        train_model(songs, load_recipe("lyricist", settings), tmp_path / "parts", callbacks=[KillAt(5)])
    said: list[str] = []
    resume(tmp_path / "parts", say=said.append)
    assert "continuing after epoch 0 of 3, step 5 of the next" in said
    assert_same(train(songs, "lyricist", tmp_path / "whole", settings), tmp_path / "parts")


def test_signals_are_given_back_after_a_training_however_it_ends(samples: Path, tmp_path: Path) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "1"})
    assert [signal.getsignal(number) for number in numbers] == before
    with pytest.raises(genrun.TrainingInterrupted):
        resume(tmp_path / "run", epochs=9, callbacks=[StopAt(2)])
    assert [signal.getsignal(number) for number in numbers] == before


def test_the_kept_network_has_the_averaged_weights(samples: Path, tmp_path: Path) -> None:
    """An average over very many steps has hardly left where it began."""
    settings = {**SMALL, "averaging": "0.999", "validation": "0", "learning_rate": "0.05"}
    run = train([samples / "songs" / "*.txt"], "lyricist", tmp_path / "run", settings)

    from genrun_core.runs.run_folder import RunFolder
    from genrun_core.training.fit import make_fitting, restore
    from genrun_core.training.prepared import prepare

    opened = RunFolder.open(run)
    prepared = prepare(opened, opened.recipe())
    fitting = make_fitting(prepared)
    restore(prepared, fitting)
    latest = [array.tobytes() for array in fitting.network.get_weights()]
    with fitting.steps.averaged():
        averaged = [array.tobytes() for array in fitting.network.get_weights()]
    assert opened.card()["training"]["best epoch"] == 3
    assert weights(run) == averaged != latest
