"""What can be watched while training goes on: a sample text after an epoch, TensorBoard's event files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from genrun import registry
from genrun.generating.draws import Draws
from genrun.tokenizer import Tokenizer
from genrun_core.evaluation.writing import NetworkSteps, write_ids
from genrun_core.runs.run_folder import RunFolder
from genrun_core.runs.token_shards import TokenShards
from genrun_core.training.prepared import Prepared
from genrun_core.training.stepping.training_loop import Fitting
from genrun_core.training.watch import Watch

__all__ = ["SampleText", "TensorBoardWriter", "watchers"]


def watchers(
    watch: Watch, prepared: Prepared, fitting: Fitting, say: Callable[[str], object]
) -> list[keras.callbacks.Callback]:
    """Return the callbacks that ``watch`` asks for."""
    found: list[keras.callbacks.Callback] = []
    if watch.sample_every:
        found.append(SampleText(prepared, fitting, say, watch.sample_every))
    if watch.tensorboard:
        found.append(TensorBoardWriter(prepared.run, fitting))
    return found


class SampleText(keras.callbacks.Callback):  # type: ignore[misc]
    """Says a text of the network every ``every`` epochs, always begun and drawn alike, to compare.

    It begins as a document of the corpus does, with a word or two of it where there is no start token.
    """

    def __init__(self, prepared: Prepared, fitting: Fitting, say: Callable[[str], object], every: int) -> None:
        super().__init__()
        recipe = prepared.recipe
        self._fitting = fitting
        self._say = say
        self._every = every
        self._tokenizer = prepared.corpus.tokenizer
        self._decoder = registry.make_decoder(recipe.decoder.name, recipe.decoder.options)
        self._length = recipe.generation.max_new_tokens
        self._casing = recipe.generation.casing
        self._seed = recipe.training.seed
        self._prompt = _prompt(self._tokenizer, prepared.corpus.shards, self._seed)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Say a text if it is time."""
        if (epoch + 1) % self._every == 0:
            with self._fitting.steps.averaged():
                text = self._tokenizer.decode(self._generate(), self._casing)
            self._say(f"epoch {epoch + 1} writes: {text}")

    def _generate(self) -> list[int]:
        steps = NetworkSteps(self._fitting.steps.body, self._fitting.steps.head)
        draws = Draws(self._seed, 0, self._prompt)
        [ids] = write_ids(steps, self._tokenizer, self._decoder, [self._prompt], [draws], self._length)
        return ids


class TensorBoardWriter(keras.callbacks.Callback):  # type: ignore[misc]
    """Writes every epoch's metrics where TensorBoard finds them: ``tensorboard --logdir RUN/tensorboard``.

    Only looking at them needs the package ``tensorboard``, which TensorFlow no longer brings: ``tf.summary.scalar``
    would import it for the few bytes that are written here.
    """

    def __init__(self, run: RunFolder, fitting: Fitting) -> None:
        super().__init__()
        self._fitting = fitting
        self._folder = str(run.path / "tensorboard")
        self._scalar = tf.compat.v1.SummaryMetadata()
        self._scalar.plugin_data.plugin_name = "scalars"
        self._writer: tf.summary.SummaryWriter | None = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Write the metrics of the epoch."""
        self._writer = self._writer or tf.summary.create_file_writer(self._folder)
        with self._writer.as_default(step=epoch + 1):
            for name, value in self._fitting.history[-1].items():
                tf.summary.write(name, tf.constant(value, tf.float32), metadata=self._scalar)
        self._writer.flush()

    def on_train_end(self, logs: Any = None) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()


def _prompt(tokenizer: Tokenizer, shards: TokenShards, seed: int) -> list[int]:
    start, labels = tokenizer.special("start"), tokenizer.labels.ids()
    if start is not None:
        return [*labels, start]
    order = np.random.default_rng([seed, 3]).permutation(len(shards))
    document = next(shards[int(i)] for i in order if len(shards[int(i)]) > 1)
    return [*labels, *(int(token) for token in document[: min(2, len(document) - 1)])]
