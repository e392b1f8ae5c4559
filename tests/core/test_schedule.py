"""The learning rate: where it is at every step, and that a plateau is what Keras calls one."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrun_core.backend import prepare_backend
from genrun_core.recipes.sections import SCHEDULES, TrainingSettings
from genrun_core.training.stepping.schedule import learning_rate
from support.tiny import fitting_of, train_epochs

prepare_backend()

import keras  # noqa: E402

LOSSES = st.lists(st.integers(0, 8).map(lambda eighths: eighths / 8), max_size=30)


def rate(settings: TrainingSettings, **where: Any) -> float:
    return learning_rate(settings, **{"step": 10**6, "progress": 0.0, "losses": (), **where})


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_warming_up_rises_evenly_from_the_first_step_to_the_full_rate(schedule: str) -> None:
    settings = TrainingSettings(learning_rate=0.5, schedule=schedule, warmup_steps=5)
    rates = [rate(settings, step=step) for step in range(8)]
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5, 0.5, 0.5, 0.5])


@given(st.floats(0, 1), st.integers(0, 100), LOSSES)
def test_a_constant_rate_is_constant(progress: float, step: int, losses: list[float]) -> None:
    settings = TrainingSettings(learning_rate=0.3)
    assert rate(settings, progress=progress, step=step, losses=losses) == 0.3


@given(st.lists(st.floats(0, 1), min_size=2, max_size=2, unique=True))
def test_a_cosine_begins_at_the_rate_and_only_falls_to_nothing_at_the_end(places: list[float]) -> None:
    settings = TrainingSettings(learning_rate=0.3, schedule="cosine")
    assert rate(settings, progress=0.0) == 0.3
    assert rate(settings, progress=0.5) == pytest.approx(0.15)
    assert rate(settings, progress=1.0) == pytest.approx(0, abs=1e-12)
    assert rate(settings, progress=max(places)) <= rate(settings, progress=min(places))


@given(LOSSES, st.integers(1, 4), st.sampled_from([0.5, 0.9]))
def test_a_plateau_is_what_keras_calls_one(losses: list[float], patience: int, factor: float) -> None:
    settings = TrainingSettings(
        learning_rate=1.0, schedule="plateau", plateau_patience=patience, plateau_factor=factor
    )
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.optimizer = keras.optimizers.SGD(1.0)
    callback = keras.callbacks.ReduceLROnPlateau("loss", factor=factor, patience=patience, min_delta=0, mode="min")
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"loss": loss})
        expected = float(model.optimizer.learning_rate.numpy())
        assert rate(settings, losses=losses[: epoch + 1]) == pytest.approx(expected, rel=1e-5)


def test_each_training_step_is_made_at_the_rate_of_the_schedule() -> None:
    """The metrics have the rate of the last step of each epoch."""
    settings: dict[str, Any] = {"learning_rate": 0.01, "schedule": "cosine", "warmup_steps": 3, "epochs": 4}
    fitting = fitting_of([5] * 8, batch_size=4, **settings)  # two steps an epoch
    rates = [row["learning_rate"] for row in train_epochs(fitting)]
    chosen = dataclasses.replace(TrainingSettings(), **settings)
    assert rates == pytest.approx([rate(chosen, step=step, progress=step / 8) for step in (1, 3, 5, 7)])


def test_a_training_whose_held_out_loss_does_not_fall_is_slowed_down() -> None:
    settings: dict[str, Any] = {"schedule": "plateau", "plateau_factor": 0.1, "epochs": 8, "learning_rate": 0.3}
    rows = train_epochs(fitting_of([9] * 12, held_out=4, **settings))
    chosen = TrainingSettings(**settings)
    losses = [row["val_loss"] for row in rows]
    expected = [rate(chosen, losses=losses[:epoch]) for epoch in range(8)]
    assert [row["learning_rate"] for row in rows] == pytest.approx(expected)
    assert expected[-1] < 0.3
