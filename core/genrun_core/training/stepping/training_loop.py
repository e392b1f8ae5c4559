"""The training loop: epochs of steps, validation, hooks for Keras callbacks, and where it stands at any moment."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf

from genrun.errors import TrainingError
from genrun_core.network.architecture import as_array
from genrun_core.recipes.sections import TrainingSettings
from genrun_core.training.batching.batches import IGNORED, Batch, Batches
from genrun_core.training.distribution import any_worker, spread
from genrun_core.training.stepping.sampled_softmax import Candidates, draw_candidates
from genrun_core.training.stepping.schedule import learning_rate
from genrun_core.training.stepping.steps import States, Steps
from genrun_core.training.workers import Worker

__all__ = ["Fitting"]

_CHECKED = 16  # steps after which their losses are looked at: reading one waits for the device


class Fitting:
    """A network, its optimizer and its position in training.

    ``epoch`` counts the finished epochs, ``step`` the finished steps of the one that is going on, ``states`` is what
    its next step carries on; ``history`` has a row of metrics for each finished epoch. ``unknown``: the id of
    ``<unk>``, whose predictions are measured apart.
    """

    LARGE = 1 << 26  # bytes of weights and moments

    def __init__(
        self,
        network: keras.Model,
        settings: TrainingSettings,
        training: Batches,
        validation: Batches,
        strategy: tf.distribute.Strategy | None = None,
        worker: Worker = Worker(),  # noqa: B008 - immutable
        unknown: int | None = None,
    ) -> None:
        self.network = network
        self.settings = settings
        self.training = training
        self.validation = validation
        strategy = strategy or tf.distribute.get_strategy()
        self.steps = Steps(network, settings, carries=training.carries, strategy=strategy, unknown=unknown)
        self.worker = worker
        self.interrupted = False
        self.epoch = 0
        self.step = 0
        self.states: States = []
        self.seconds = 0.0  # of the epoch that is going on
        self.history: list[dict[str, float]] = []
        self._steps_before = 0  # of the finished epochs
        self._losses: list[tf.Tensor] = []  # of the last steps, not looked at yet

    @property
    def monitored(self) -> str:
        """The metric that decides which epoch is best: the held-out loss if there is one."""
        return "val_loss" if self.validation.predictions else "loss"

    @property
    def is_comparable(self) -> bool:
        """Whether the last epoch's monitored loss is over all words, not a loss over sampled ones, which is lower."""
        return self.monitored == "val_loss" or "accuracy" in self.history[-1]

    @property
    def is_large(self) -> bool:
        """Whether memory is spared for the network: it is saved rather than copied, and nothing else is kept."""
        variables = (*self.network.variables, *self.steps.optimizer.variables)
        return bool(sum(4 * math.prod(variable.shape) for variable in variables) > self.LARGE)

    @property
    def meter(self) -> dict[str, float]:
        """The metrics of the epoch so far."""
        return _counted(self.steps.meter.read())

    def run(
        self, callbacks: Sequence[keras.callbacks.Callback], interrupted: Callable[[], bool] = lambda: False
    ) -> None:
        """Train until the last epoch, until a callback stops it, or until ``interrupted`` says so.

        That is asked after every step; by several workers, which must stop together, after every epoch. Raises
        TrainingError if the loss is not a number.
        """
        # Keras's own callbacks look for the optimizer here; the network is saved without it.
        self.network.optimizer = self.steps.optimizer
        hooks = keras.callbacks.CallbackList(list(callbacks), model=self.network, add_history=False)
        self.network.stop_training = False
        hooks.on_train_begin()
        for number, row in enumerate(self.history):  # callbacks that count epochs learn of those before a resume
            _replay(callbacks, number, row)
        while self.epoch < self.settings.epochs and not self.network.stop_training:
            hooks.on_epoch_begin(self.epoch)
            self._train_epoch(hooks, interrupted)
            if self.interrupted:
                break
            row = self._finish_epoch()
            hooks.on_epoch_end(self.epoch - 1, dict(row))
            self.interrupted = any_worker(self.steps.strategy, interrupted())
            if self.interrupted:
                break
        hooks.on_train_end()

    def evaluate(self) -> dict[str, float]:
        """Return the loss, perplexity and accuracy of the held-out documents, as ``val_loss`` and so on."""
        self.steps.meter.reset()
        states: States = []
        with self.steps.averaged():
            for batch in self.validation.in_order():
                states = states or self._first_states(self.validation, batch)
                states = self.steps.test(*spread(self.steps.strategy, batch), states)
        return self.steps.meter.read("val_")

    def check_losses(self) -> None:
        """Raise TrainingError if the loss of a step since the last check is not a number."""
        losses = [float(loss) for loss in self._losses]
        self._losses.clear()
        for step, loss in enumerate(losses, self.step - len(losses) + 1):
            if not math.isfinite(loss):
                where = f"step {step:,} of epoch {self.epoch + 1}"
                raise TrainingError(
                    f"the loss became {loss:.3g} in {where}; what was saved before is kept, but going on would end "
                    "there again: start again, in another folder, with a smaller learning_rate or clip_norm=1"
                )

    def check_weights(self) -> None:
        """Raise TrainingError if a weight is not a number: the last step may spoil what its own loss did not show."""
        if not all(np.isfinite(as_array(weight)).all() for weight in self.network.weights):
            raise TrainingError(
                f"a weight became no number by step {self.step:,} of epoch {self.epoch + 1}; "
                "what was saved before is kept: start again, in another folder, with a smaller learning_rate or "
                "clip_norm=1"
            )

    def _train_epoch(self, hooks: keras.callbacks.CallbackList, interrupted: Callable[[], bool]) -> None:
        """Train the rest of the epoch."""
        started = time.perf_counter() - self.seconds
        self._steps_before = sum(self.training.steps(number) for number in range(self.epoch))
        if not self.step:
            self.steps.meter.reset()
        for batch in self.training.epoch(self.epoch, self.step):
            hooks.on_train_batch_begin(self.step)
            self._train_step(batch)
            self.seconds = time.perf_counter() - started
            hooks.on_train_batch_end(self.step - 1)
            if self.worker.count == 1 and interrupted():
                self.interrupted = True
                break
        self.check_losses()
        self.seconds = time.perf_counter() - started

    def _train_step(self, batch: Batch) -> None:
        steps = self.training.steps(self.epoch)
        progress = (self.epoch + self.step / steps) / self.settings.epochs
        rate = learning_rate(
            self.settings,
            step=self._steps_before + self.step,
            progress=progress,
            losses=[row[self.monitored] for row in self.history],
        )
        states = self.states or self._first_states(self.training, batch)
        tokens = tf.constant(np.count_nonzero(batch.targets != IGNORED), tf.float32)
        arguments = (*spread(self.steps.strategy, batch), states, tf.constant(rate, tf.float32), tokens)
        candidates = self._candidates(progress)
        if candidates is None:
            loss, self.states = self.steps.train(*arguments)
        else:
            loss, self.states = self.steps.train_sampled(*arguments, candidates)
        self._losses.append(loss)
        self.step += 1
        if len(self._losses) >= _CHECKED:
            self.check_losses()

    def _finish_epoch(self) -> dict[str, float]:
        row = _counted(self.steps.meter.read())
        if self.validation.predictions:
            row |= self.evaluate()
        if not math.isfinite(row[self.monitored]):
            raise TrainingError(f"the {self.monitored} of epoch {self.epoch + 1} is {row[self.monitored]:.3g}")
        row |= {
            "learning_rate": float(np.asarray(self.steps.optimizer.learning_rate)),
            "tokens_per_second": round(self.training.predictions / self.seconds, 1),
            "seconds": round(self.seconds, 3),
        }
        self.history.append(row)
        self.epoch += 1
        self.step, self.seconds, self.states = 0, 0.0, []
        return row

    def _candidates(self, progress: float) -> Candidates | None:
        """Return the words that the loss of the next step is about, None for all."""
        sampled = self.settings.sampled_softmax
        if not sampled or progress >= 1 - self.settings.full_softmax:
            return None
        random = np.random.default_rng([self.settings.seed, 2, self.epoch, self.step])
        return draw_candidates(self.steps.vocabulary, sampled, random)

    def _first_states(self, batches: Batches, batch: Batch) -> States:
        return self.steps.body.initial_states(len(batch.inputs)) if batches.carries else []


def _counted(row: dict[str, float]) -> dict[str, float]:
    """Leave out the accuracy where a loss over sampled words counts no hits."""
    return {name: value for name, value in row.items() if name != "accuracy" or not math.isnan(value)}


def _replay(callbacks: Sequence[keras.callbacks.Callback], epoch: int, row: dict[str, float]) -> None:
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.EarlyStopping):
            callback.on_epoch_end(epoch, dict(row))
