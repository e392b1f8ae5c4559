"""The training loop: one compiled step over whole sequences, epochs, validation, and hooks for Keras callbacks."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun.errors import TrainingError
from genrun_core.architecture import body_and_head
from genrun_core.batches import IGNORED, Batches
from genrun_core.recipe import TrainingSettings

__all__ = ["Fitting", "Meter", "make_optimizer"]

_OPTIMIZERS = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop, "sgd": keras.optimizers.SGD}
_SIGNATURE = [tf.TensorSpec([None, None], tf.int32, name) for name in ("inputs", "targets")]


def make_optimizer(settings: TrainingSettings) -> keras.optimizers.Optimizer:
    """Return a new optimizer."""
    return _OPTIMIZERS[settings.optimizer](settings.learning_rate, global_clipnorm=settings.clip_norm or None)


class Meter:
    """Sums cross-entropy and hits over predicted tokens; padding never enters."""

    def __init__(self) -> None:
        self._sums = tf.Variable(tf.zeros(3, tf.float64), trainable=False)  # loss, hits, tokens

    def update(self, losses: tf.Tensor, hits: tf.Tensor) -> None:
        """Add the losses and hits of the tokens of one batch, both ``[tokens]``."""
        values = [
            tf.reduce_sum(losses),
            tf.reduce_sum(tf.cast(hits, tf.float32)),
            tf.cast(tf.size(losses), tf.float32),
        ]
        self._sums.assign_add(tf.cast(tf.stack(values), tf.float64))

    def reset(self) -> None:
        """Begin anew."""
        self._sums.assign(tf.zeros(3, tf.float64))

    def read(self, prefix: str = "") -> dict[str, float]:
        """Return the means so far: loss (nats per token), perplexity, accuracy."""
        loss, hits, tokens = (float(value) for value in self._sums.numpy())
        mean = loss / tokens if tokens else math.nan
        return {
            f"{prefix}loss": mean,
            f"{prefix}perplexity": math.exp(mean) if mean < 700 else math.inf,
            f"{prefix}accuracy": hits / tokens if tokens else math.nan,
        }


class Fitting:
    """A network, its optimizer and its position in training.

    ``epoch`` counts the finished epochs, ``history`` has a row of metrics for each of them.
    """

    def __init__(
        self, network: keras.Model, settings: TrainingSettings, training: Batches, validation: Batches
    ) -> None:
        self.network = network
        self.settings = settings
        self.training = training
        self.validation = validation
        self.optimizer = make_optimizer(settings)
        self.optimizer.build(network.trainable_variables)
        self.epoch = 0
        self.history: list[dict[str, float]] = []
        self.meter = Meter()
        self._body, self._head = body_and_head(network)
        # One trace for every shape of batch: the number of sequences and their length stay open.
        self._train_step = tf.function(self._train_batch, input_signature=_SIGNATURE)
        self._test_step = tf.function(self._test_batch, input_signature=_SIGNATURE)

    @property
    def monitored(self) -> str:
        """The metric that decides which epoch is best: the held-out loss if there is one."""
        return "val_loss" if self.validation.steps else "loss"

    def run(self, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Train until the last epoch or until a callback stops it; TrainingError if the loss is not a number."""
        hooks = keras.callbacks.CallbackList(list(callbacks), model=self.network, add_history=False)
        self.network.stop_training = False
        hooks.on_train_begin()
        for number, row in enumerate(self.history):  # callbacks that count epochs learn of those before a resume
            _replay(callbacks, number, row)
        while self.epoch < self.settings.epochs and not self.network.stop_training:
            hooks.on_epoch_begin(self.epoch)
            row = self._run_epoch(hooks)
            self.history.append(row)
            self.epoch += 1
            hooks.on_epoch_end(self.epoch - 1, dict(row))
        hooks.on_train_end()

    def _run_epoch(self, hooks: keras.callbacks.CallbackList) -> dict[str, float]:
        started = time.perf_counter()
        self.meter.reset()
        for step, (inputs, targets) in enumerate(self.training.epoch(self.epoch)):
            hooks.on_train_batch_begin(step)
            self._train_step(inputs, targets)
            hooks.on_train_batch_end(step)
        row = self.meter.read()
        seconds = time.perf_counter() - started
        if self.validation.steps:
            row |= self.evaluate(self.validation.in_order())
        if not all(math.isfinite(value) for value in row.values()):
            kept = " (what was learnt before is kept)" if self.epoch else ""
            raise TrainingError(
                f"the loss became {row['loss']:.3g} in epoch {self.epoch + 1}{kept}; going on would end there again: "
                "start anew, in another folder, with a smaller learning_rate or clip_norm=1"
            )
        return row | {
            "tokens_per_second": round(self.training.predictions / seconds, 1),
            "seconds": round(seconds, 3),
        }

    def evaluate(self, batches: Iterable[tuple[NDArray[np.int32], NDArray[np.int32]]]) -> dict[str, float]:
        """Return val_loss, val_perplexity and val_accuracy over ``batches``."""
        self.meter.reset()
        for inputs, targets in batches:
            self._test_step(inputs, targets)
        return self.meter.read("val_")

    def _train_batch(self, inputs: tf.Tensor, targets: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            losses, hits = self._losses(inputs, targets, training=True)
            loss = tf.reduce_mean(losses)
        variables = self.network.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        self.meter.update(losses, hits)

    def _test_batch(self, inputs: tf.Tensor, targets: tf.Tensor) -> None:
        self.meter.update(*self._losses(inputs, targets, training=False))

    def _losses(self, inputs: tf.Tensor, targets: tf.Tensor, *, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Return cross-entropy float32 ``[tokens]`` and hits bool ``[tokens]`` of the real, unpadded predictions."""
        real = tf.not_equal(targets, IGNORED)  # [batch, time]
        hidden = tf.boolean_mask(self._body(inputs, training=training), real)  # [tokens, hidden]
        wanted = tf.boolean_mask(targets, real)  # [tokens]
        logits = self._head(hidden)  # [tokens, vocabulary]
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits)
        return losses, tf.equal(tf.argmax(logits, axis=-1, output_type=tf.int32), wanted)


def _replay(callbacks: Sequence[keras.callbacks.Callback], epoch: int, row: dict[str, float]) -> None:
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.EarlyStopping):
            callback.on_epoch_end(epoch, dict(row))
