"""Single steps: what padding, precision, compilation and averaging may and may not change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from genrun_core.backend import prepare_backend
from genrun_core.training.batching.batches import IGNORED, Batch
from support.tiny import fitting_of, model_of, train_epochs

prepare_backend()

import keras  # noqa: E402

from genrun_core.training.stepping.training_loop import Fitting  # noqa: E402

LENGTHS = [3, 9, 5, 2, 7, 7]


def test_padding_enters_neither_loss_nor_metrics() -> None:
    fitting = fitting_of(LENGTHS)
    fitting.validation = fitting.training
    together = fitting.evaluate()
    total = tokens = hits = 0.0
    for inputs, targets in fitting.training.in_order():
        logits = np.asarray(fitting.network(inputs), np.float64)
        log_probability = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
        for row, position in np.argwhere(targets != IGNORED):
            total -= log_probability[row, position, targets[row, position]]
            hits += logits[row, position].argmax() == targets[row, position]
            tokens += 1
    assert tokens == sum(LENGTHS) - len(LENGTHS)
    assert together["val_loss"] == pytest.approx(total / tokens, rel=1e-5)
    assert together["val_accuracy"] == pytest.approx(hits / tokens)
    assert together["val_perplexity"] == pytest.approx(np.exp(total / tokens), rel=1e-5)


@pytest.mark.parametrize(
    "settings",
    [{}, {"running_text": True}, {"sampled_softmax": 5}],
    ids=["gathered", "running", "sampled"],
)
def test_a_batch_teaches_the_same_whatever_it_is_padded_to(settings: dict[str, Any]) -> None:
    one, other = (fitting_of([4, 4], model_of(tied=True), **settings) for _ in range(2))
    inputs, targets = next(iter(one.training.in_order()))
    one._train_step(Batch(inputs, targets))
    other._train_step(
        Batch(np.pad(inputs, ((0, 0), (0, 6))), np.pad(targets, ((0, 0), (0, 6)), constant_values=IGNORED))
    )
    assert one.meter == pytest.approx(other.meter)
    for a, b in zip(one.network.get_weights(), other.network.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_running_text_is_scored_with_all_that_came_before() -> None:
    """The loss in short batches is that of the whole text read at once; documents cut to size know less."""
    long, short = (fitting_of([40], sequence_length=length, running_text=True, batch_size=1) for length in (64, 7))
    cut = fitting_of([40], sequence_length=7, batch_size=1)
    for fitting in (long, short, cut):
        fitting.network.set_weights([3 * weight for weight in cut.network.get_weights()])  # so that states matter
        fitting.validation = fitting.training
    whole = long.evaluate()["val_loss"]
    assert short.evaluate()["val_loss"] == pytest.approx(whole, rel=1e-5)
    assert cut.evaluate()["val_loss"] != pytest.approx(whole, rel=1e-4)


def moving_averages(fitting: Fitting, momentum: float) -> list[np.ndarray[Any, Any]]:
    """Train to the end and return the moving average of the weights after each step, by NumPy."""
    averages: list[np.ndarray[Any, Any]] = []

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            latest = [variable.numpy() for variable in fitting.network.trainable_variables]
            if not averages:
                averages.extend(latest)
            averages[:] = [momentum * a + (1 - momentum) * b for a, b in zip(averages, latest, strict=True)]

    fitting.run([Watch()])
    return averages


@pytest.mark.parametrize(
    "settings",
    [{}, {"precision": "float16", "xla": False}, {"freeze": ("embedding",), "optimizer": "adamw"}],
    ids=["plain", "float16", "frozen"],
)
def test_averaged_weights_are_the_moving_average_of_every_steps_weights(settings: dict[str, Any]) -> None:
    fitting = fitting_of(LENGTHS, averaging=0.8, epochs=6, batch_size=2, learning_rate=0.05, **settings)
    expected = moving_averages(fitting, 0.8)
    latest = fitting.network.get_weights()
    with fitting.steps.averaged():
        for variable, average in zip(fitting.network.trainable_variables, expected, strict=True):
            np.testing.assert_allclose(variable.numpy(), average, atol=1e-5)
        inside = fitting.network.get_weights()
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(latest, inside, strict=True))
    for before, after in zip(latest, fitting.network.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_the_latest_weights_come_back_also_after_an_error() -> None:
    fitting = fitting_of(LENGTHS, averaging=0.9, epochs=2)
    train_epochs(fitting)
    latest = fitting.network.get_weights()
    with pytest.raises(ZeroDivisionError), fitting.steps.averaged():
        raise ZeroDivisionError
    for before, after in zip(latest, fitting.network.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_without_averaging_and_before_the_first_step_there_is_nothing_to_average() -> None:
    for fitting in (fitting_of(LENGTHS), fitting_of(LENGTHS, averaging=0.9)):
        latest = fitting.network.get_weights()
        with fitting.steps.averaged():
            for before, during in zip(latest, fitting.network.get_weights(), strict=True):
                np.testing.assert_array_equal(before, during)


def test_validation_measures_the_averaged_weights() -> None:
    fitting = fitting_of(LENGTHS, averaging=0.95, epochs=4, held_out=2, learning_rate=0.1)
    train_epochs(fitting)
    measured = fitting.evaluate()["val_loss"]
    with fitting.steps.averaged():
        averages = fitting.network.get_weights()
    other = fitting_of(LENGTHS, held_out=2)
    other.network.set_weights(averages)
    assert other.evaluate()["val_loss"] == pytest.approx(measured, rel=1e-6)
    other.network.set_weights(fitting.network.get_weights())
    assert other.evaluate()["val_loss"] != pytest.approx(measured, rel=1e-4)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_gradients_are_scaled_down_to_the_clipping_norm_all_together(optimizer: str) -> None:
    """With clipping far below the gradient's norm, a step of sgd is just as long as the norm allows."""
    fitting = fitting_of(LENGTHS, optimizer=optimizer, clip_norm=1e-3, learning_rate=1.0)
    before = fitting.network.get_weights()
    fitting._train_step(next(iter(fitting.training.in_order())))
    moved = np.concatenate([(a - b).ravel() for a, b in zip(before, fitting.network.get_weights(), strict=True)])
    if optimizer == "sgd":
        assert np.linalg.norm(moved) == pytest.approx(1e-3, rel=1e-3)
    else:
        assert np.abs(moved).max() > 1e-3  # it divides by the gradient's own size


def test_compiled_steps_learn_the_same() -> None:
    """In one batch of sequences that are padded, and one that are not."""
    options: dict[str, Any] = {"epochs": 3, "learning_rate": 0.02, "held_out": 2, "clip_norm": 1.0}
    plain, compiled = (train_epochs(fitting_of([5, 5, 7, 6, 6], xla=xla, **options)) for xla in (False, True))
    for a, b in zip(plain, compiled, strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-4)
        assert a["val_loss"] == pytest.approx(b["val_loss"], rel=1e-4)


@pytest.mark.parametrize(
    ("precision", "architecture"),
    [("bfloat16", "lstm"), ("float16", "lstm"), ("bfloat16", "window"), ("float16", "gru")],
)
def test_half_precision_learns_about_the_same_in_weights_that_stay_float32(precision: str, architecture: str) -> None:
    model = model_of(architecture, tied=True)
    options: dict[str, Any] = {"epochs": 4, "learning_rate": 0.03}
    full, half = (fitting_of([6] * 12, model, precision=kind, **options) for kind in ("float32", precision))
    rows = [train_epochs(fitting) for fitting in (full, half)]
    assert rows[1][-1]["loss"] == pytest.approx(rows[0][-1]["loss"], abs=0.1)
    assert rows[1][-1]["loss"] != rows[0][-1]["loss"]
    assert rows[1][-1]["loss"] < rows[1][0]["loss"]
    assert {weight.dtype for weight in half.network.get_weights()} == {np.dtype(np.float32)}
