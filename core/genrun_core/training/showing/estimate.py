"""How long a training takes, known before its first epoch ends: its steps are timed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import keras

from genrun_core.training.stepping.training_loop import Fitting

__all__ = ["Estimate"]

_FIRST_STEPS = 2  # which compile, and are not timed
_TIMED_STEPS = 8  # at least, unless the epoch has fewer
_TIMED_SECONDS = 3.0
_VALIDATION = 1 / 3  # of the time that learning the same predictions takes, until one has been timed


class Estimate(keras.callbacks.Callback):  # type: ignore[misc]
    """Times the steps of a training; calls ``when_known`` once, when the time left can be told.

    That is after three seconds of steps, and at the end of an epoch at the latest.
    """

    def __init__(
        self, fitting: Fitting, when_known: Callable[[], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._fitting = fitting
        self._when_known: Callable[[], object] | None = when_known
        self._clock = clock
        self._steps = 0  # seen, the first ones included
        self._seconds = 0.0  # of those that are timed
        self._last = clock()  # the end of the step before
        self._validation: float | None = None  # seconds of one

    @property
    def is_known(self) -> bool:
        """Whether a step has been timed."""
        return self._steps > _FIRST_STEPS

    def seconds_left(self) -> float:
        """Return the seconds until the last epoch ends, with the validations; a step must have been timed."""
        fitting, step = self._fitting, self._seconds / (self._steps - _FIRST_STEPS)
        left = range(fitting.epoch, fitting.settings.epochs)
        steps = sum(fitting.training.steps(number) for number in left) - fitting.step
        return steps * step + len(left) * self._validation_seconds(step)

    def seconds_of_epoch(self) -> float:
        """Return the seconds of an epoch, with its validation; a step must have been timed."""
        step = self._seconds / (self._steps - _FIRST_STEPS)
        return self._fitting.training.steps(self._fitting.epoch) * step + self._validation_seconds(step)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begin to time."""
        self._last = self._clock()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Time a step."""
        now = self._clock()
        self._steps += 1
        if self.is_known:
            self._seconds += now - self._last
        self._last = now
        is_last = self._fitting.step >= self._fitting.training.steps(self._fitting.epoch)
        enough = self._steps >= _FIRST_STEPS + _TIMED_STEPS and self._seconds >= _TIMED_SECONDS
        if self._when_known is not None and self.is_known and (is_last or enough):
            when_known, self._when_known = self._when_known, None
            when_known()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Time a validation."""
        self._validation = self._clock() - self._last

    def _validation_seconds(self, step: float) -> float:
        if self._validation is not None:
            return self._validation
        fitting = self._fitting
        share = fitting.validation.predictions / max(fitting.training.predictions, 1)
        return _VALIDATION * share * step * fitting.training.steps(fitting.epoch)
