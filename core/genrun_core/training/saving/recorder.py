"""The run folder, kept up to date while training goes on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import keras

from genrun.errors import RunFolderError
from genrun_core.network.architecture import as_array, fingerprint
from genrun_core.network.network_file import save_network
from genrun_core.runs.atomic import write_bytes
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.card import metrics_csv
from genrun_core.training.saving.checkpoint import Checkpoint, Restored
from genrun_core.training.stepping.training_loop import Fitting

__all__ = ["Recorder"]


class Recorder(keras.callbacks.Callback):  # type: ignore[misc]
    """Keeps the run folder: metrics after each epoch, the best network and a checkpoint at save points.

    ``make_blank`` makes a float32 network of the same shape, which is given the best weights and saved; ``corpus`` is
    the fingerprint of the corpus; ``describe`` makes the card of the best epoch. A save point comes after an epoch
    when training has lasted ten times as long as saving takes, so that tiny models are not slowed down, and after a
    better epoch of a large model; within an epoch also only after a minute; and at the end. Between two of them a
    kill costs the steps since, nothing else.
    """

    _SHARE = 10
    _SECONDS = 60.0  # between save points within an epoch

    def __init__(
        self,
        run: RunFolder,
        fitting: Fitting,
        make_blank: Callable[[], keras.Model],
        corpus: str,
        restored: Restored | None,
        describe: Callable[[dict[str, Any]], dict[str, Any]],
    ) -> None:
        super().__init__()
        self._run = run
        self._make_blank = make_blank
        self._describe = describe
        self._fitting = fitting
        nothing = {"epoch": 0, "value": float("inf"), "sampled": True}
        self.best: dict[str, Any] = restored.state["best"] if restored else nothing
        self._blank: keras.Model | None = None
        self._best_network: keras.Model | None = None  # the best network, while it is in no file
        if restored and restored.best_weights:
            self._best_network = self._blank = make_blank()
            self._blank.set_weights(restored.best_weights)
        self._corpus = corpus
        self._kept: Checkpoint | None = None  # of the best epoch, while that is in no file
        self._saved_at = time.monotonic()
        self._save_seconds = 0.0

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Save if an epoch lasts."""
        if self._fitting.worker.count == 1 and self._since_saved() >= max(
            self._SECONDS, self._SHARE * self._save_seconds
        ):
            self._fitting.check_losses()
            self._fitting.check_weights()
            self.save()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Note the metrics; remember the best weights; save if it is time."""
        self._fitting.check_weights()
        value = self._fitting.history[-1][self._fitting.monitored]
        sampled = not self._fitting.is_comparable
        if (sampled, value) < (self.best["sampled"], self.best["value"]):
            self.best = {"epoch": self._fitting.epoch, "value": value, "sampled": sampled}
            self._best_network = self._kept = None  # overwritten: nothing wrong is saved if memory ends here
            self._best_network = self._best_of_now()
        together = self._fitting.worker.count > 1  # workers save in the same places, so that they go on together
        improved = self.best["epoch"] == self._fitting.epoch
        is_time = self._since_saved() >= self._SHARE * self._save_seconds
        if together or is_time or (improved and self._fitting.is_large):
            self.save()
        elif improved:
            self._kept = self._checkpoint(kept=True)

    def on_train_end(self, logs: Any = None) -> None:
        """Save the last state."""
        self._fitting.check_weights()
        self.save()

    def save(self) -> None:
        """Write metrics, the best network with its card, and the checkpoint, each whole or not at all."""
        started = time.monotonic()
        self._write(self._checkpoint())
        self._saved_at = time.monotonic()
        self._save_seconds = self._saved_at - started

    def save_best(self) -> None:
        """Go back to the best epoch and save it, if it is in no file yet: after it the weights became no numbers."""
        if self._kept is not None:
            self._fitting.history, self._fitting.epoch = self._kept.history, len(self._kept.history)
            self._write(self._kept)

    def _best_of_now(self) -> keras.Model:
        """Return a network with the weights of this epoch: a large one itself, since it is saved before the next."""
        settings, steps = self._fitting.settings, self._fitting.steps
        is_plain = settings.precision == "float32" and not settings.averaging
        if is_plain and steps.strategy.num_replicas_in_sync == 1 and self._fitting.is_large:
            self._blank = None
            return self._fitting.network
        self._blank = self._blank or self._make_blank()
        with steps.averaged():
            for best, variable in zip(self._blank.weights, self._fitting.network.weights, strict=True):
                best.assign(as_array(variable))
        return self._blank

    def _checkpoint(self, *, kept: bool = False) -> Checkpoint:
        state = {"best": self.best, "corpus": self._corpus}
        return Checkpoint(self._fitting, state, self._best_network.weights if self._best_network else (), kept=kept)

    def _write(self, checkpoint: Checkpoint) -> None:
        best = checkpoint.state["best"]
        if self._best_network:
            self.best["weights"] = best["weights"] = fingerprint(self._best_network)
        # The checkpoint comes first and has all that the other files are made of: a kill between them loses nothing.
        checkpoint.write(self._run.checkpoint_file)
        if checkpoint.history:
            if self._best_network:
                save_network(self._best_network, self._run.network_file)
            card = self._describe(best)
            if not self._best_network:
                card = _of_same_network(card, self._run)
            self._run.save_json(self._run.card_file, card)
            write_bytes(self._run.metrics_file, metrics_csv(checkpoint.history))
        self._best_network = self._kept = None

    def _since_saved(self) -> float:
        return time.monotonic() - self._saved_at


def _of_same_network(card: dict[str, Any], run: RunFolder) -> dict[str, Any]:
    """Return ``card`` with the entries of the one before about the best network, which has not changed."""
    with contextlib.suppress(RunFolderError):
        before = run.card()
        kept: dict[str, Any] = {name: before[name] for name in ("counting", "mixture") if name in before}
        figures = before["training"].items()
        same = {name: value for name, value in figures if name == "weights" or name.startswith("val_")}
        return {**card, **kept, "training": {**card["training"], **same}}
    return card
