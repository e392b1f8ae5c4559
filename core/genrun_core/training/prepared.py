"""From a run folder to what is trained on: the corpus, and the batches that it is divided into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Reader
from genrun.errors import OptionError, TrainingError
from genrun_core.backend import require_memory
from genrun_core.corpus.preparation import Corpus, prepare_corpus
from genrun_core.counting.documents import Documents
from genrun_core.recipes.recipe import Recipe
from genrun_core.recipes.sections import TrainingSettings
from genrun_core.runs.run_folder import RunFolder
from genrun_core.runs.token_shards import TokenShards
from genrun_core.training.batching.batches import Batches, DocumentBatches
from genrun_core.training.batching.noise import EpochNoise, InputNoise, RareWords
from genrun_core.training.batching.running_text import RunningBatches

__all__ = ["Prepared", "batches_of", "prepare"]

_CALIBRATED = 3000  # tokens that a calibration looks at


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """All that a training needs of its run folder, read and checked once.

    ``documents``: int64, those that are trained on; ``training`` and ``validation``: their batches, and those of the
    documents that are held out. ``frequencies``: how often each token occurs in an epoch, int64 ``[vocabulary]``.
    """

    run: RunFolder
    corpus: Corpus
    documents: NDArray[np.int64]
    training: Batches
    validation: Batches
    frequencies: NDArray[np.int64]

    @property
    def recipe(self) -> Recipe:
        """The recipe, complete."""
        return self.corpus.recipe

    @property
    def vocabulary(self) -> int:
        """The number of tokens."""
        return len(self.corpus.tokenizer)

    def counted_documents(self) -> tuple[Documents, Documents]:
        """Return the documents that are trained on, and those that are held out, for an n-gram model."""
        shards, running = self.corpus.shards, self.recipe.training.running_text
        return Documents(shards, self.documents, running), Documents(shards, shards.held_out, running)

    def calibration_sample(self) -> Batches:
        """Return documents that are trained on, drawn with the seed, with about _CALIBRATED tokens.

        Those of a running text follow one another.
        """
        shards, settings = self.corpus.shards, self.recipe.training
        count = max(1, min(len(self.documents), _CALIBRATED * len(shards) // len(shards.ids)))
        random = np.random.default_rng([settings.seed, 3])
        if settings.running_text:
            first = int(random.integers(len(self.documents) - count + 1))
            return batches_of(shards, self.documents[first : first + count], settings)
        return batches_of(shards, np.sort(random.choice(self.documents, count, replace=False)), settings)


def prepare(
    run: RunFolder, recipe: Recipe, say: Callable[[str], object] = lambda line: None, reader: Reader | None = None
) -> Prepared:
    """Read the corpus of a run, unless that is done already, and return what its training needs.

    ``reader``: the one of the recipe, made already. ``say`` receives the description of the corpus. Raises
    CorpusError, OptionError, RunFolderError or TrainingError for what cannot be trained on.
    """
    run.check_places()
    run.remove_leftovers()
    corpus = prepare_corpus(run, recipe, reader)
    settings, shards = corpus.recipe.training, corpus.shards
    documents = shards.trained_on
    frequencies = shards.frequencies(len(corpus.tokenizer), documents)
    noise = _noise(corpus, documents, frequencies)
    training = batches_of(shards, documents, settings, noise)
    validation = batches_of(shards, shards.held_out, settings)
    for what, batches in (("training", training), ("validation", validation)):
        if not batches.predictions and (what == "training" or len(shards.held_out)):
            raise TrainingError(f"the {what} part of the corpus has no document of two tokens or more")
    _check_size(corpus)
    for line in corpus.report:
        say(line)
    return Prepared(run, corpus, documents, training, validation, noise.expected(frequencies))


def batches_of(
    shards: TokenShards,
    documents: NDArray[np.int64],
    settings: TrainingSettings,
    noise: EpochNoise = EpochNoise(),  # noqa: B008 - immutable
) -> Batches:
    """Return the batches of some documents, apart from each other or as one text, with ``noise`` in each epoch."""
    shape = {"batch_size": settings.batch_size, "sequence_length": settings.sequence_length, "seed": settings.seed}
    if settings.running_text:
        return RunningBatches(shards, documents, **shape, noise=noise)
    return DocumentBatches(shards, documents, **shape, noise=noise, label_dropout=settings.label_dropout)


def _noise(corpus: Corpus, documents: NDArray[np.int64], frequencies: NDArray[np.int64]) -> EpochNoise:
    """Return what each epoch over ``documents`` changes in their tokens, by the settings of the recipe."""
    settings, tokenizer = corpus.recipe.training, corpus.tokenizer
    specials = len(tokenizer.specials)
    return EpochNoise(
        RareWords.of(frequencies, tokenizer.special("unk"), settings.unknown_rate),
        InputNoise.of(corpus.shards, documents, len(tokenizer), specials, settings.noise),
    )


def _check_size(corpus: Corpus) -> None:
    """Refuse a network that would not fit, before the system kills the process that tries."""
    if not corpus.recipe.model.plugin.trained:
        return
    from genrun_core.network.architecture import count_parameters

    vocabulary, sampled = len(corpus.tokenizer), corpus.recipe.training.sampled_softmax
    if sampled >= vocabulary:
        raise OptionError(f"sampled_softmax={sampled} is not below the vocabulary, which is {vocabulary:,}")
    require_memory(count_parameters(corpus.recipe.model, vocabulary))
