"""The compiled steps: one of training, one of validation, for one device or several."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from functools import partial

import keras
import numpy as np
import tensorflow as tf

from genrun_core.network.body_and_head import Body, Head
from genrun_core.recipes.sections import TrainingSettings
from genrun_core.training.batching.batches import IGNORED
from genrun_core.training.stepping.optimizers import make_optimizer
from genrun_core.training.stepping.sampled_softmax import Candidates, sampled_losses

__all__ = ["Meter", "Steps", "perplexity"]

States = list[tf.Tensor]


class Meter:
    """Sums cross-entropy and hits over predicted tokens; padding never enters."""

    def __init__(self) -> None:
        # loss, hits and number of the tokens; loss and number of those that are unknown words
        self.sums = tf.Variable(tf.zeros(5, tf.float64), trainable=False)

    def reset(self) -> None:
        """Begin again."""
        self.sums.assign(tf.zeros(5, tf.float64))

    def read(self, prefix: str = "") -> dict[str, float]:
        """Return the means so far: loss (nats per token), perplexity, and the accuracy if hits were counted.

        Where some of the tokens were unknown words, the perplexity of all others comes beside that of all.
        """
        loss, hits, tokens, unknown_loss, unknown = (float(value) for value in self.sums.numpy())
        mean = loss / tokens if tokens else math.nan
        row = {f"{prefix}loss": mean, f"{prefix}perplexity": perplexity(mean)}
        if 0 < unknown < tokens:
            row[f"{prefix}known_perplexity"] = perplexity((loss - unknown_loss) / (tokens - unknown))
        return row | {f"{prefix}accuracy": hits / tokens if tokens else math.nan}


class Steps:
    """What a network does with a batch: learn from it, or be measured on it. Both are compiled once.

    ``meter`` sums up what the steps measured; ``unknown`` is the id of ``<unk>``, None if there is none. A batch's
    rows may be spread over the replicas of ``strategy``; the gradient is that of the whole batch.
    """

    def __init__(
        self,
        network: keras.Model,
        settings: TrainingSettings,
        *,
        carries: bool,
        strategy: tf.distribute.Strategy,
        unknown: int | None = None,
    ) -> None:
        self.network = network
        self.strategy = strategy
        self.body = Body(network)
        self.head = Head(network)
        self.meter = Meter()
        self._unknown = IGNORED if unknown is None else unknown
        self.vocabulary = int(self.head.bias.shape[0])
        self._replicas: int = strategy.num_replicas_in_sync
        self._gathers = not (settings.xla or carries)
        with strategy.scope():
            self.optimizer = make_optimizer(settings, self._replicas)
            self.optimizer.build(network.trainable_variables)
        # The norm to clip, and the overflow of float16, are those of the whole batch's gradient.
        self._reduces_first = bool(settings.clip_norm) or settings.precision == "float16"
        tokens = tf.TensorSpec([None, None], tf.int32)
        scalar = tf.TensorSpec([], tf.float32)
        states = [tf.TensorSpec([None, *state.shape], state.dtype) for state in self.body.states if carries]
        candidates = Candidates(tf.TensorSpec([None], tf.int64), tf.TensorSpec([None], tf.float32))
        # One trace for every shape of batch: the number of sequences and their length stay open. Like Keras's own
        # loop, the steps are compiled without AutoGraph, which takes a third of a second for each.
        one = self._replicas == 1
        compiled = partial(tf.function, autograph=False, reduce_retracing=not one)
        batch, rates = [tokens, tokens, states], [scalar, scalar]
        self.train = compiled(
            self._train, input_signature=[*batch, *rates] if one else None, jit_compile=settings.xla
        )
        self.train_sampled = compiled(self._train, input_signature=[*batch, *rates, candidates] if one else None)
        self.test = compiled(self._test, input_signature=batch if one else None, jit_compile=settings.xla)

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """Give the network its averaged weights for a while, if averages are kept."""
        optimizer = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        if not optimizer.use_ema or not np.asarray(optimizer.iterations):
            yield
            return
        variables = self.network.trainable_variables
        latest = [np.asarray(variable) for variable in variables]
        try:
            for variable, average in zip(variables, optimizer._model_variables_moving_average, strict=True):
                variable.assign(np.asarray(average))
            yield
        finally:
            for variable, value in zip(variables, latest, strict=True):
                variable.assign(value)

    def _train(
        self,
        inputs: tf.Tensor,
        targets: tf.Tensor,
        states: States,
        rate: tf.Tensor,
        tokens: tf.Tensor,
        candidates: Candidates | None = None,
    ) -> tuple[tf.Tensor, States]:
        """Learn from a batch that predicts ``tokens`` tokens in all; return its mean loss and the states after it."""
        self.optimizer.learning_rate.assign(rate)
        sums, following = self.strategy.run(self._learn, (inputs, targets, states, tokens, candidates))
        sums = self.strategy.reduce(tf.distribute.ReduceOp.SUM, sums, axis=None)
        self.meter.sums.assign_add(sums)
        return tf.cast(sums[0] / sums[2], tf.float32), following

    def _test(self, inputs: tf.Tensor, targets: tf.Tensor, states: States) -> States:
        """Measure a batch and return the states after it."""
        following: States
        sums, following = self.strategy.run(self._measure, (inputs, targets, states))
        self.meter.sums.assign_add(self.strategy.reduce(tf.distribute.ReduceOp.SUM, sums, axis=None))
        return following

    def _learn(
        self, inputs: tf.Tensor, targets: tf.Tensor, states: States, tokens: tf.Tensor, candidates: Candidates | None
    ) -> tuple[tf.Tensor, States]:
        variables = self.network.trainable_variables
        with tf.GradientTape() as tape:
            hidden, wanted, real, following = self._hidden(inputs, targets, states, training=True)
            if candidates is None:
                losses, hits = self._losses(hidden, wanted)
            else:
                losses, hits = sampled_losses(self.head, hidden, wanted, candidates), None
            losses = losses * real
            loss = tf.reduce_sum(losses) / tokens
            if hasattr(self.optimizer, "scale_loss"):
                loss = self.optimizer.scale_loss(loss)
        gradients = [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, variables)]
        if self._replicas > 1 and self._reduces_first:
            context = tf.distribute.get_replica_context()
            gradients = context.all_reduce(tf.distribute.ReduceOp.SUM, gradients)
            gradients = [gradient / self._replicas for gradient in gradients]
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return _sums(losses, hits, real, tf.equal(wanted, self._unknown)), following

    def _measure(self, inputs: tf.Tensor, targets: tf.Tensor, states: States) -> tuple[tf.Tensor, States]:
        hidden, wanted, real, following = self._hidden(inputs, targets, states, training=False)
        losses, hits = self._losses(hidden, wanted)
        return _sums(losses * real, hits, real, tf.equal(wanted, self._unknown)), following

    def _hidden(
        self, inputs: tf.Tensor, targets: tf.Tensor, states: States, *, training: bool
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, States]:
        """Return hidden values ``[tokens, hidden]``, their targets, which of them are real (1.0), and the states."""
        given = states or self.body.initial_states(tf.shape(inputs)[0])
        hidden, following = self.body(inputs, given, training=training)
        real = tf.not_equal(targets, IGNORED)  # [batch, time]
        if self._gathers:
            hidden, wanted = tf.boolean_mask(hidden, real), tf.boolean_mask(targets, real)
            return hidden, wanted, tf.ones_like(wanted, tf.float32), following if states else []
        hidden = tf.reshape(hidden, [-1, hidden.shape[-1]])
        wanted = tf.reshape(tf.maximum(targets, 0), [-1])
        return hidden, wanted, tf.reshape(tf.cast(real, tf.float32), [-1]), following if states else []

    def _losses(self, hidden: tf.Tensor, wanted: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Return cross-entropy float32 ``[tokens]`` and hits bool ``[tokens]``."""
        logits = self.head(hidden)  # [tokens, vocabulary]
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits)
        return losses, tf.equal(tf.argmax(logits, axis=-1, output_type=tf.int32), wanted)


def _sums(losses: tf.Tensor, hits: tf.Tensor | None, real: tf.Tensor, unknown: tf.Tensor) -> tf.Tensor:
    """Return what a meter adds up, float64 ``[5]``; hits that were not counted make it not a number."""
    hit = tf.constant(math.nan) if hits is None else tf.reduce_sum(tf.cast(hits, tf.float32) * real)
    of_unknown = tf.cast(unknown, tf.float32)
    parts = tf.reduce_sum(losses), hit, tf.reduce_sum(real)
    return tf.cast(
        tf.stack([*parts, tf.reduce_sum(losses * of_unknown), tf.reduce_sum(real * of_unknown)]), tf.float64
    )


def perplexity(mean: float) -> float:
    """Return exp of a mean loss; infinite where that is too large, or no number."""
    return math.exp(mean) if mean < 700 else math.inf
