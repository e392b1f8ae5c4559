"""What happens at the end of steps and epochs: progress on the terminal, and the run folder kept up to date."""

from __future__ import annotations

import csv
import io
import sys
import time
from collections.abc import Callable
from typing import Any

import click
import keras
import numpy as np

from genrun_core.architecture import fingerprint
from genrun_core.atomic import write_bytes, write_with
from genrun_core.checkpoint import save_checkpoint
from genrun_core.fitting import Fitting
from genrun_core.run_folder import RunFolder

__all__ = ["Progress", "Recorder"]


class Progress(keras.callbacks.Callback):  # type: ignore[misc]
    """One bar over the whole training, with the loss and the time left, if stderr is a terminal; else plain lines."""

    _REDRAW_SECONDS = 0.2
    _LINE_SECONDS = 1.0

    def __init__(self, fitting: Fitting, say: Callable[[str], object]) -> None:
        super().__init__()
        self._fitting = fitting
        self._say = say
        self._drawn = 0.0
        self._pending = 0
        self._loss = ""
        self._terminal = sys.stderr.isatty()
        self._bar: Any = click.progressbar(
            length=fitting.settings.epochs * fitting.training.steps,
            label="training",
            item_show_func=lambda _: self._loss,
            file=sys.stderr,
        )

    def on_train_begin(self, logs: Any = None) -> None:
        """Show the bar."""
        if self._terminal:
            self._bar.__enter__()
            self._bar.update(self._fitting.epoch * self._fitting.training.steps)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Move the bar, not more often than the eye can follow: reading the loss waits for the step."""
        self._pending += 1
        if self._terminal and time.monotonic() - self._drawn > self._REDRAW_SECONDS:
            self._loss = f"epoch {self._fitting.epoch + 1} loss {self._fitting.meter.read()['loss']:.4f}"
            self._advance()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Finish the epoch's part of the bar, or print its line."""
        last = epoch + 1 == self._fitting.settings.epochs
        line = _epoch_line(epoch + 1, self._fitting.settings.epochs, logs or {})
        if self._terminal:
            self._loss = line
            self._advance()
        elif last or time.monotonic() - self._drawn > self._LINE_SECONDS:
            self._say(line)
            self._drawn = time.monotonic()

    def close(self) -> None:
        """Give the terminal back, however the training ended."""
        if self._terminal:
            self._bar.render_finish()

    def _advance(self) -> None:
        self._bar.update(self._pending)
        self._pending = 0
        self._drawn = time.monotonic()


def _epoch_line(epoch: int, epochs: int, row: dict[str, float]) -> str:
    parts = [f"epoch {epoch}/{epochs}", f"loss {row['loss']:.4f}"]
    if "val_loss" in row:
        parts.append(f"val_loss {row['val_loss']:.4f} (perplexity {row['val_perplexity']:.1f})")
    parts.append(f"{row['tokens_per_second']:,.0f} tokens/s")
    return ", ".join(parts)


class Recorder(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps the run folder: metrics after each epoch, the best network and a checkpoint at save points.

    ``describe`` makes the card of the best epoch. A save point comes after an epoch when training has lasted ten
    times as long as saving takes, so that tiny models are not slowed down; and at the end. Between two of them a kill
    costs those epochs, nothing else.
    """

    _SHARE = 10

    def __init__(
        self,
        run: RunFolder,
        fitting: Fitting,
        best: dict[str, Any] | None,
        describe: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> None:
        super().__init__()
        self._run = run
        self._describe = describe
        self._fitting = fitting
        self.best: dict[str, Any] = best or {"epoch": 0, "value": float("inf")}
        self._best_weights: list[np.ndarray[Any, Any]] | None = None
        self._saved_at = time.monotonic()
        self._save_seconds = 0.0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Note the metrics; remember the best weights; save if it is time."""
        row = self._fitting.history[-1]
        value = row[self._fitting.monitored]
        if value < self.best["value"]:
            self.best = {"epoch": self._fitting.epoch, "value": value}
            self._best_weights = self._fitting.network.get_weights()
        if time.monotonic() - self._saved_at >= self._SHARE * self._save_seconds:
            self.save()

    def on_train_end(self, logs: Any = None) -> None:
        """Save the last state."""
        self.save()

    def save(self) -> None:
        """Write metrics, the best network with its card, and the checkpoint, each whole or not at all."""
        started = time.monotonic()
        write_bytes(self._run.metrics_file, _metrics_csv(self._fitting.history))
        if self._best_weights is not None:
            self._save_best(self._best_weights)
            self._best_weights = None
        self._run.save_json(self._run.card_file, self._describe(self.best))
        save_checkpoint(self._run.checkpoint_file, self._fitting, {"best": self.best})
        self._saved_at = time.monotonic()
        self._save_seconds = self._saved_at - started

    def _save_best(self, weights: list[np.ndarray[Any, Any]]) -> None:
        network = self._fitting.network
        latest = network.get_weights()
        try:
            network.set_weights(weights)
            self.best["weights"] = fingerprint(network)
            write_with(self._run.network_file, network.save)
        finally:
            network.set_weights(latest)


def _metrics_csv(history: list[dict[str, float]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, ["epoch", *history[-1]], lineterminator="\n")
    writer.writeheader()
    writer.writerows({"epoch": number, **row} for number, row in enumerate(history, 1))
    return text.getvalue().encode()
