"""What a person sees of a training: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import click
import keras

from genrun_core.training.training_loop import Fitting

__all__ = ["Progress"]


class Progress(keras.callbacks.Callback):  # type: ignore[misc]
    """One bar over the whole training with tokens/s, loss, validation perplexity and the time left; else lines."""

    _REDRAW_SECONDS = 0.2
    _LINE_SECONDS = 1.0

    def __init__(self, fitting: Fitting, say: Callable[[str], object]) -> None:
        super().__init__()
        self._fitting = fitting
        self._say = say
        self._drawn = 0.0
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
        if self._terminal:
            self._bar.__enter__()
            done = sum(row["seconds"] for row in self._fitting.history) + self._fitting.seconds
            self._bar.start -= done  # the time left is reckoned from all that was trained, before a resume too
            self._advance()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Move the bar, not more often than the eye can follow: reading the loss waits for the step."""
        if self._terminal and time.monotonic() - self._drawn > self._REDRAW_SECONDS:
            self._text = self._current()
            self._advance()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Finish the epoch's part of the bar, or print its line."""
        last = epoch + 1 == self._fitting.settings.epochs
        line = _epoch_line(epoch + 1, self._fitting.settings.epochs, logs or {})
        if self._terminal:
            self._text = line
            self._advance()
        elif last or time.monotonic() - self._drawn > self._LINE_SECONDS:
            self._say(line)
            self._drawn = time.monotonic()

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
        self._drawn = time.monotonic()


def _epoch_line(epoch: int, epochs: int, row: Mapping[str, float]) -> str:
    parts = [f"epoch {epoch}/{epochs}", f"loss {row['loss']:.4f}"]
    if "val_loss" in row:
        parts.append(f"val_loss {row['val_loss']:.4f} (perplexity {row['val_perplexity']:.1f})")
    parts.append(f"{row['tokens_per_second']:,.0f} tokens/s")
    return ", ".join(parts)
