"""What a person sees of a training: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import click
import keras

from genrun.cli.io.durations import about
from genrun_core.training.showing.estimate import Estimate
from genrun_core.training.stepping.training_loop import Fitting

__all__ = ["Progress"]

_WORTH_PLANNING = 10.0  # seconds; the end of a shorter training is not announced


class Progress(keras.callbacks.Callback):  # type: ignore[misc]
    """One bar over the whole training with tokens/s, loss, validation perplexity and the time left; else lines.

    Without a terminal, a line comes every 30 seconds at least, with the time left. ``when_known`` is called before
    the time that the training takes is said, and may change the number of epochs.
    """

    _REDRAW_SECONDS = 0.2
    _LINE_SECONDS = 1.0
    _LONGEST_SECONDS = 30.0  # between two lines

    def __init__(
        self,
        fitting: Fitting,
        say: Callable[[str], object],
        when_known: Callable[[Estimate], object] = lambda estimate: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._fitting = fitting
        self._say = say
        self._clock = clock
        self._when_known = when_known
        self.estimate = Estimate(fitting, self._say_whole, clock)
        self._drawn = -math.inf
        self._shown = 0  # predictions behind the bar
        self._text = ""
        self._terminal = sys.stderr.isatty()
        self._bar: Any = click.progressbar(
            length=fitting.settings.epochs * fitting.training.predictions,
            label="training",
            item_show_func=lambda _: self._text,
            file=sys.stderr,
        )

    def on_train_begin(self, logs: Any = None) -> None:
        """Show the bar."""
        self._drawn = self._clock() if not self._terminal else self._drawn
        self._is_first = True
        if self._terminal:
            self._bar.__enter__()
            done = sum(row["seconds"] for row in self._fitting.history) + self._fitting.seconds
            self._bar.start -= done  # the time left is reckoned from all that was trained, before a resume too
            self._advance()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Move the bar, not more often than the eye can follow: reading the loss waits for the step."""
        self.estimate.on_train_batch_end(batch, logs)
        waited = self._clock() - self._drawn
        if self._terminal and waited > self._REDRAW_SECONDS:
            self._text = self._current()
            self._advance()
        elif not self._terminal and waited > self._LONGEST_SECONDS:
            left = f", about {about(self.estimate.seconds_left())} left" if self.estimate.is_known else ""
            self._say(f"{self._current()}{left}")
            self._drawn = self._clock()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Begin to time its steps."""
        self.estimate.on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Finish the epoch's part of the bar, or print its line."""
        self.estimate.on_epoch_end(epoch, logs)
        last = epoch + 1 == self._fitting.settings.epochs
        line = _epoch_line(epoch + 1, self._fitting.settings.epochs, logs or {})
        if self._terminal:
            self._text = line
            self._advance()
        elif last or self._is_first or self._clock() - self._drawn > self._LINE_SECONDS:
            self._say(line)
            self._drawn = self._clock()
        self._is_first = False

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        if self._terminal:
            sys.stderr.write("\r\033[K")
        self._say(line)
        if self._terminal:
            self._bar.render_progress()

    def close(self) -> None:
        """Give the terminal back, however the training ended."""
        if self._terminal:
            self._bar.render_finish()

    def _current(self) -> str:
        fitting = self._fitting
        done = fitting.step / fitting.training.steps(fitting.epoch) * fitting.training.predictions
        parts = [f"epoch {fitting.epoch + 1}/{fitting.settings.epochs}", f"loss {fitting.meter['loss']:.4f}"]
        if fitting.history and "val_perplexity" in fitting.history[-1]:
            parts.append(f"val perplexity {fitting.history[-1]['val_perplexity']:.1f}")
        return ", ".join([*parts, f"{done / max(fitting.seconds, 1e-9):,.0f} tokens/s"])

    def _advance(self) -> None:
        fitting = self._fitting
        within = 0.0 if not fitting.step else fitting.step / fitting.training.steps(fitting.epoch)
        behind = int((fitting.epoch + within) * fitting.training.predictions)
        self._bar.update(behind - self._shown)
        self._shown = behind
        self._drawn = self._clock()

    def _say_whole(self) -> None:
        """Say how long the training takes, if it is worth planning by."""
        self._when_known(self.estimate)
        settings = self._fitting.settings
        self._bar.length = settings.epochs * self._fitting.training.predictions
        seconds = self.estimate.seconds_left()
        if seconds < _WORTH_PLANNING:
            return
        what = "left" if self._fitting.epoch else f"for {settings.epochs} epochs"
        early = ", or less: it stops when it gets no better" if settings.patience else ""
        self.say(f"about {about(seconds)} {what}{early}")


def _epoch_line(epoch: int, epochs: int, row: Mapping[str, float]) -> str:
    parts = [f"epoch {epoch}/{epochs}", f"loss {row['loss']:.4f}"]
    if "val_loss" in row:
        parts.append(f"val_loss {row['val_loss']:.4f} (perplexity {row['val_perplexity']:.1f})")
    parts.append(f"{row['tokens_per_second']:,.0f} tokens/s")
    return ", ".join(parts)
