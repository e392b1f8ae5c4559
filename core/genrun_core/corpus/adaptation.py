"""Sizes and regularization that fit a corpus, for recipes that leave them open (``adapt = true``).

What matters is how many tokens an epoch predicts, not how many documents there are: it decides how large a network
can be before it learns the corpus by heart, and how many steps teach it enough. The rules were chosen by held-out
loss on corpora of 1,400 to 420,000 predictions; below and above that they are carried on, not measured.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from genrun_core.corpus.counts import CorpusCounts
from genrun_core.recipes.counting import LONG_TEXT, ORDER, RECENT, choose_order, choose_recent
from genrun_core.recipes.recipe import Recipe

__all__ = ["CorpusSize", "adapt", "choose_sizes"]

_TYPICAL = 70_000  # predictions of an epoch that the sizes below are for
_WIDTH = 320
_EPOCHS = 12.0
_STEP = 272  # tokens that a step predicts
_CHARACTERS = 4  # that tell about as much as a word
_STEPS = 400  # of a whole training, at least
_PREDICTIONS = 12_000_000  # of a whole training, about: what two cores make while one waits


@dataclass(frozen=True, slots=True)
class CorpusSize:
    """What the sizes of a network are chosen by.

    ``predictions`` of an epoch, ``documents`` that are trained on, ``vocabulary``: numbers of them. ``samples``:
    whether the loss may be over sampled words. ``characters``: whether tokens are characters.
    """

    predictions: int
    documents: int
    vocabulary: int
    samples: bool = False
    characters: bool = False
    running_text: bool = False

    @property
    def length(self) -> float:
        """The mean number of predictions of a text; a running text is one."""
        return self.predictions / (1 if self.running_text else max(self.documents, 1))


def adapt(recipe: Recipe, counts: CorpusCounts, *, vocabulary: int) -> Recipe:
    """Return ``recipe`` with its open sizes chosen for a corpus of such ``counts``; nothing is open then.

    What the shape of the corpus decides stays as it is (:mod:`genrun_core.corpus.shape`).
    """
    training = recipe.training
    corpus = CorpusSize(
        counts.predicted,
        counts.documents - counts.held_out,
        vocabulary,
        samples=recipe.model.tied and counts.held_out > 0,  # else the loss of epochs is not comparable
        characters=recipe.tokenizer.kind == "char",
        running_text=training.running_text,
    )
    names = "epochs", "batch_size", "sequence_length"
    given = {name: getattr(training, name) for name in names if f"training.{name}" not in recipe.adapt}
    kind = recipe.tokenizer.kind
    values = {
        **choose_sizes(corpus, **given),
        ORDER: choose_order(kind, counts.predicted),
        RECENT: choose_recent(kind, corpus.length),
    }
    chosen: dict[str, dict[str, Any]] = {"model": {}, "training": {}}
    for name in set(recipe.adapt) & set(values):
        section, _, key = name.partition(".")
        chosen[section][key] = values[name]
    model = dataclasses.replace(recipe.model, **chosen["model"])
    return dataclasses.replace(
        recipe, model=model, training=dataclasses.replace(training, **chosen["training"]), adapt=()
    )


def choose_sizes(
    corpus: CorpusSize,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    sequence_length: int | None = None,
) -> dict[str, Any]:
    """Return a value for each key of ``recipe.ADAPTABLE`` but those for counts and those of ``recipe.BY_SHAPE``.

    ``epochs``, ``batch_size``, ``sequence_length``: those that were given, which the others go by.

    >>> small, large = (choose_sizes(CorpusSize(n, n // 10, vocabulary=9000)) for n in (5_000, 1_000_000))
    >>> small["model.hidden_size"] < large["model.hidden_size"], small["training.epochs"] > large["training.epochs"]
    (True, True)
    """
    predictions, words = max(corpus.predictions, 1), max(corpus.predictions, 1)
    if corpus.characters:
        words = max(predictions // _CHARACTERS, 1)
    size = words / _TYPICAL
    width = 32 * round(min(max(_WIDTH * size**0.22, 96), 768) / 32)
    held_back = min(max(0.5 - 0.1 * math.log10(words / 1e6), 0.2), 0.5)  # 0.5 up to a million
    sampled = 0 if not corpus.samples or corpus.vocabulary < 8_192 or predictions < 200_000 else 2_048
    sequence_length = sequence_length or (64 if corpus.length > LONG_TEXT else 256)
    tokens = min(max(_STEP * size**0.3, 96), 1_024) * (_CHARACTERS if corpus.characters else 1)
    in_row = sequence_length if corpus.running_text else min(max(corpus.length, 1), sequence_length)
    batch_size = batch_size or 4 * max(round(tokens / in_row / 4), 1)
    steps = max(round(predictions / in_row / batch_size), 1)  # in an epoch
    enough = min(_EPOCHS * size**-0.25, _PREDICTIONS / predictions)
    epochs = epochs or round(max(enough, _STEPS / steps, 2))
    return {
        "model.embedding_size": min(width, 32 * round((2 * _WIDTH + width) / 96)),
        "model.hidden_size": width,
        "model.dropout": round(held_back, 2),
        "model.input_dropout": round(0.8 * held_back, 2),
        "training.epochs": epochs,
        "training.batch_size": batch_size,
        "training.sequence_length": sequence_length,
        "training.warmup_steps": min(epochs * steps // 20, 200),
        "training.sampled_softmax": sampled,
    }
