"""From a run folder to what is trained: its batches, its network, and where they meet."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genrun.errors import OptionError, RunFolderError, TrainingError
from genrun_core.backend import require_memory
from genrun_core.corpus.shards import TokenShards
from genrun_core.recipes.recipe import Recipe
from genrun_core.recipes.sections import TrainingSettings
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.batches import Batches, DocumentBatches, split_documents
from genrun_core.training.running_text import RunningBatches
from genrun_core.training.workers import Worker

if TYPE_CHECKING:
    import tensorflow as tf

    from genrun_core.training.training_loop import Fitting

__all__ = [
    "batches_of",
    "check_same_corpus",
    "check_size",
    "check_together",
    "make_batches",
    "make_fitting",
    "remarks",
]

_CALIBRATED = 3000  # tokens that a calibration looks at


def make_fitting(
    run: RunFolder,
    recipe: Recipe,
    strategy: tf.distribute.Strategy | None = None,
    worker: Worker = Worker(),  # noqa: B008 - immutable
    say: Callable[[str], object] = lambda line: None,
) -> Fitting:
    """Return the network of a run folder at the beginning of its training, with the batches that it learns from.

    A run that began with another one's network begins with its weights, calibrated unless the settings say no;
    ``say`` hears of that.
    """
    import tensorflow as tf

    from genrun_core.network.architecture import build_network
    from genrun_core.network.body_and_head import begin_with_frequencies, freeze_layers
    from genrun_core.network.network_file import load_network
    from genrun_core.training.calibration import calibrate
    from genrun_core.training.distribution import take_from_chief
    from genrun_core.training.finetuning import transfer_weights
    from genrun_core.training.training_loop import Fitting

    settings = recipe.training
    training, validation = make_batches(run, recipe)
    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
        network = build_network(recipe.model, len(run.tokenizer()), precision=settings.precision)
        frequencies = _frequencies(run, recipe)
        if run.base_network_file.exists():
            known = run.base_tokenizer() or run.tokenizer()
            transfer_weights(load_network(run.base_network_file, recipe.model, len(known)), network)
            if settings.calibrate:
                agree = partial(take_from_chief, strategy, worker)
                chosen = calibrate(network, _calibration_sample(run, recipe), frequencies, settings.freeze, agree)
                if chosen is not None:
                    say(str(chosen))
        else:
            begin_with_frequencies(network, frequencies)
        freeze_layers(network, settings.freeze)
    return Fitting(network, settings, training, validation, strategy, worker)


def check_size(run: RunFolder, recipe: Recipe) -> None:
    """Refuse a network that would not fit, before the system kills the process that tries."""
    if recipe.model.architecture == "ngram":
        return
    from genrun_core.network.architecture import count_parameters

    vocabulary, sampled = len(run.tokenizer()), recipe.training.sampled_softmax
    if sampled >= vocabulary:
        raise OptionError(f"sampled_softmax={sampled} is not below the vocabulary, which is {vocabulary:,}")
    require_memory(count_parameters(recipe.model, vocabulary))


def make_batches(run: RunFolder, recipe: Recipe) -> tuple[Batches, Batches]:
    """Return the batches for training and those held out; raises OptionError or TrainingError if one is empty."""
    shards, settings = run.shards(), recipe.training
    training, validation = (batches_of(shards, documents, settings) for documents in _split(shards, settings))
    for what, batches in (("training", training), ("validation", validation)):
        if not batches.predictions and (what == "training" or settings.validation):
            raise TrainingError(f"the {what} part of the corpus has no document of two tokens or more")
    return training, validation


def batches_of(shards: TokenShards, documents: NDArray[np.int64], settings: TrainingSettings) -> Batches:
    """Return the batches of some documents, apart from each other or as one text."""
    kind = RunningBatches if settings.running_text else DocumentBatches
    return kind(
        shards,
        documents,
        batch_size=settings.batch_size,
        sequence_length=settings.sequence_length,
        seed=settings.seed,
    )


def _split(shards: TokenShards, settings: TrainingSettings) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the documents for training, and those that are held out."""
    return split_documents(len(shards), settings.validation, settings.seed, contiguous=settings.running_text)


def _frequencies(run: RunFolder, recipe: Recipe) -> NDArray[np.int64]:
    """Return how often each word occurs in what is trained on."""
    shards = run.shards()
    return shards.frequencies(len(run.tokenizer()), _split(shards, recipe.training)[0])


def _calibration_sample(run: RunFolder, recipe: Recipe) -> Batches:
    """Return documents that are trained on, drawn with the seed, with about _CALIBRATED tokens."""
    shards, settings = run.shards(), recipe.training
    documents, _ = _split(shards, settings)
    count = max(1, min(len(documents), _CALIBRATED * len(shards) // len(shards.ids)))
    drawn = np.random.default_rng([settings.seed, 3]).choice(documents, count, replace=False)
    return batches_of(shards, np.sort(drawn), settings)


def check_same_corpus(run: RunFolder, strategy: tf.distribute.Strategy, worker: Worker, corpus: str) -> None:
    """Raise RunFolderError unless all workers have read the chief's corpus; ``corpus`` is its fingerprint here."""
    from genrun_core.training.distribution import any_worker, take_from_chief

    here = np.frombuffer(hashlib.blake2b(corpus.encode(), digest_size=16).digest(), np.uint16)  # exact as floats
    differs = bool((here != take_from_chief(strategy, worker, here)).any())
    if any_worker(strategy, differs):
        which = f"this one ({run.path}) has not" if differs else f"this one ({run.path}) has, another has not"
        raise RunFolderError(f"the workers must read the same corpus as the chief: {which}")


def check_together(run: RunFolder, fitting: Fitting) -> None:
    """Raise RunFolderError unless all workers stand where the chief does; a kill may come between their saves."""
    from genrun_core.training.distribution import any_worker, take_from_chief

    strategy, worker = fitting.steps.strategy, fitting.worker
    here = np.array([fitting.epoch, fitting.step])
    chief = take_from_chief(strategy, worker, here)
    if any_worker(strategy, bool((here != chief).any())):
        raise RunFolderError(
            f"the workers stopped at different places, this one ({run.path}) after epoch {here[0]}, the chief after "
            f"{chief[0]}: copy the chief's run folder over those of the others, then resume"
        )


def remarks(fitting: Fitting) -> list[str]:
    """Return what a user should know of a training that can be done but hardly means what it says."""
    settings, rows = fitting.settings, len(fitting.training)
    found = []
    if settings.batch_size > rows:
        what = "predictions" if fitting.training.carries else "sequences"
        found.append(f"batch_size={settings.batch_size} is more than there are {what}, {rows:,}: one batch has all")
    if settings.xla and settings.sampled_softmax:
        found.append("xla leaves the steps over sampled words as they are")
    return found
