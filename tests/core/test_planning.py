"""What a person can plan by: how long a training takes, a wish for less, a line now and then, and what to do next."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import genrun
from genrun.cli.io.durations import about
from genrun_core.corpus.progress_bar import with_progress_bar
from genrun_core.recipes.recipe import load_recipe
from genrun_core.runs.naming import default_model_file, default_run_folder
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.train import train as train_model
from support.tiny import fitting_of

from genrun_core.training.showing.estimate import Estimate  # isort: skip - Keras is prepared by then
from genrun_core.training.showing.hurry import fit_into  # isort: skip
from genrun_core.training.showing.progress import Progress  # isort: skip
from genrun_core.training.stepping.training_loop import Fitting  # isort: skip


class Clock:
    """A clock that goes on by ``step`` seconds at each look."""

    def __init__(self, step: float) -> None:
        self.step, self.now = step, 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


Again = Callable[..., Fitting]


@pytest.fixture(scope="module")
def compiled() -> Fitting:
    """A fitting of 16 steps an epoch."""
    return fitting_of([4] * 40, batch_size=2, held_out=8)


@pytest.fixture
def again(compiled: Fitting) -> Again:
    """The same fitting, at its beginning, with other settings; it is compiled once for all tests."""

    def begin(**settings: int) -> Fitting:
        compiled.settings = dataclasses.replace(compiled.settings, **settings)  # type: ignore[arg-type]
        compiled.epoch, compiled.step, compiled.history = 0, 0, []
        return compiled

    return begin


def lines_of(fitting: Fitting, step: float) -> list[str]:
    """What a training says whose clock goes on by ``step`` seconds at each look."""
    said: list[str] = []
    fitting.run([Progress(fitting, said.append, clock=Clock(step))])
    return said


def test_the_time_of_the_whole_is_said_before_the_first_epoch_ends(again: Again) -> None:
    said = lines_of(again(epochs=4, patience=3), 2.0)
    whole = next(number for number, line in enumerate(said) if line.startswith("about "))
    assert said[whole].endswith(" minutes for 4 epochs, or less: it stops when it gets no better")
    assert whole < next(number for number, line in enumerate(said) if "val_loss" in line)


def test_a_long_epoch_gets_a_line_every_half_minute_with_the_time_left(again: Again) -> None:
    said = lines_of(again(epochs=1, patience=0), 5.0)
    assert [line for line in said if line.startswith("epoch 1/1, loss") and line.endswith(" left")]


def test_a_short_training_announces_nothing(again: Again) -> None:
    assert not [line for line in lines_of(again(epochs=4, patience=0), 0.001) if "about" in line]


def test_the_estimate_is_that_of_steps_of_one_length(again: Again) -> None:
    fitting = again(epochs=3, patience=0)
    known: list[float] = []
    estimate = Estimate(fitting, lambda: known.append(estimate.seconds_left()), Clock(3.0))
    fitting.run([estimate])
    learnt = 3 * 16 - 10  # after two steps that compile, and eight that are timed
    validated = 3 * 8 / 32 / 3 * 16
    assert known == [pytest.approx(3.0 * (learnt + validated))]


def test_a_wish_for_less_time_takes_fewer_epochs_and_is_recorded(again: Again, tmp_path: Path) -> None:
    recipe, fitting = load_recipe("racetrack"), again(epochs=50, patience=0)
    run = RunFolder.create(tmp_path / "run", recipe, [])
    said: list[str] = []

    def hurry(estimate: Estimate) -> None:
        fit_into(1.0, run, recipe, fitting, said.append, estimate)

    fitting.run([Progress(fitting, said.append, hurry, Clock(1.0))])
    taken = len(fitting.history)
    assert 1 <= taken < 50
    assert said[0].startswith(f"{taken} of 50 epochs fit into a minute; all would take about ")
    assert RunFolder.open(run.path).recipe().training.epochs == taken


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("nan"), float("inf")])
def test_a_wish_that_is_no_time_is_refused(minutes: float, samples: Path, tmp_path: Path) -> None:
    with pytest.raises(genrun.OptionError, match="minutes must be a number above 0"):
        train_model([str(samples / "racetrack.txt")], load_recipe("racetrack"), tmp_path / "run", minutes=minutes)
    assert not (tmp_path / "run").exists()


@given(st.floats(0, 1e6))
def test_a_longer_time_is_never_said_to_be_shorter(seconds: float) -> None:
    units = {"second": 1.0, "seconds": 1.0, "minute": 60.0, "minutes": 60.0, "hours": 3600.0}
    number, unit = about(seconds).replace("a ", "1 ").split()
    assert float(number) * units[unit] == pytest.approx(seconds, rel=0.5, abs=1.5)


def test_passing_documents_are_logged_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "genrun"):
        assert len(list(with_progress_bar(range(100), "evaluating", 100, clock=Clock(1.0)))) == 100
    assert caplog.messages == [f"evaluating: {number} of 100 so far" for number in (31, 62, 93)]


def test_the_lines_of_a_training_go_to_the_log_if_nobody_takes_them(
    samples: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "genrun"):
        train_model([str(samples / "racetrack.txt")], load_recipe("ngram", {"validation": "0"}), tmp_path / "run")
    assert caplog.messages[0] == "3 rows in 1 file: 3 documents"
    assert logging.getLogger("genrun").handlers == []


def test_names_are_those_of_the_corpus_and_of_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "texts").mkdir()
    for name in ("poems.txt", "a.v2.txt", "b.txt.gz", "plain", "texts/one.txt", "texts/two.txt"):
        (tmp_path / name).touch()
    expected = {
        ("poems.txt",): "poems",
        (str(tmp_path / "poems.txt"),): str(tmp_path / "poems"),
        ("a.v2.txt",): "a.v2",
        ("b.txt.gz",): "b",
        ("plain",): "plain-run",
        ("texts",): "texts-run",
        ("texts/*.txt",): "texts-run",
        ("texts/one.txt", "texts/two.txt"): "texts-run",
        ("texts/one.txt",): "texts/one",
    }
    assert {sources: str(default_run_folder(sources)) for sources in expected} == expected
    (tmp_path / "poems").mkdir()
    (tmp_path / "poems" / "mine.txt").touch()
    assert default_run_folder(["poems.txt"]) == Path("poems-run")
    assert default_model_file(Path("runs/a.v2")) == Path("runs/a.v2.onnx")
    for wrong in ("-", "nowhere.txt"):
        with pytest.raises(genrun.OptionError, match="name the output with -o"):
            default_run_folder([wrong])
