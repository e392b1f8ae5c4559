"""Sizes and regularization that fit a corpus, for recipes that leave them open (``adapt = true``).

The rules were chosen by held-out loss on newspaper headlines (76,000 predictions an epoch) and songs (420,000); below
and above that they are carried on, not measured. A network grows with the corpus up to a width that two cores train
while one waits; a corpus whose words are rare is learnt by heart soon and gets few epochs.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from genrun_core.corpus.counts import CorpusCounts
from genrun_core.recipes.counting import ORDER, choose_order
from genrun_core.recipes.recipe import Recipe

__all__ = ["adapt", "choose_sizes"]

_TYPICAL = 60_000  # predictions in an epoch for which the widest network is worth its time
_EPOCHS = 1.2  # for a corpus that has each word once
_PREDICTIONS = 12_000_000  # of a whole training, about: what two cores make while one waits
_STEPS = 400  # of a whole training, at least


def adapt(recipe: Recipe, counts: CorpusCounts, *, vocabulary: int) -> Recipe:
    """Return ``recipe`` with its open values chosen for a corpus of such ``counts``; nothing is open then."""
    samples = recipe.model.tied and recipe.training.validation > 0  # else the loss of epochs is not comparable
    given = {
        name: getattr(recipe.training, name)
        for name in ("epochs", "batch_size")
        if f"training.{name}" not in recipe.adapt
    }
    kind = recipe.tokenizer.kind
    values = choose_sizes(
        counts.predicted, counts.documents, vocabulary=vocabulary, samples=samples, kind=kind, **given
    )
    chosen: dict[str, dict[str, Any]] = {"model": {}, "training": {}}
    for name in recipe.adapt:
        section, _, key = name.partition(".")
        chosen[section][key] = values[name]
    model = dataclasses.replace(recipe.model, **chosen["model"])
    training = dataclasses.replace(recipe.training, **chosen["training"])
    return dataclasses.replace(recipe, model=model, training=training, adapt=())


def choose_sizes(
    predictions: int,
    documents: int,
    *,
    vocabulary: int,
    samples: bool,
    kind: str = "word",
    epochs: int | None = None,
    batch_size: int | None = None,
) -> dict[str, Any]:
    """Return a value for each key of ``recipe.ADAPTABLE``, for so many predictions in an epoch.

    ``samples``: whether the loss may be over sampled words; ``kind``: that of the tokenizer; ``epochs``,
    ``batch_size``: those that were given, which the others go by.

    >>> small, large = (choose_sizes(n, n // 10, vocabulary=9000, samples=True) for n in (5_000, 1_000_000))
    >>> small["model.hidden_size"] < large["model.hidden_size"], small["training.epochs"] > large["training.epochs"]
    (True, True)
    """
    width = 32 * round(min(max(768 * (predictions / _TYPICAL) ** 0.25, 128), 768) / 32)
    held_back = min(max(0.5 - 0.1 * math.log10(max(predictions, 1) / 1e6), 0.2), 0.5)  # 0.5 up to a million
    sampled = 0 if not samples or vocabulary < 8_192 or predictions < 1_000_000 else 2_048
    batch_size = batch_size or (16 if documents < 2_000 else 32 if predictions < 2_000_000 else 64)
    steps = max(documents // batch_size, 1)  # in an epoch
    often = _EPOCHS * math.sqrt(predictions / max(vocabulary, 1))  # words seen rarely are soon learnt by heart
    epochs = epochs or round(max(min(often, _PREDICTIONS / max(predictions, 1)), _STEPS / steps, 2))
    return {
        ORDER: choose_order(kind, predictions),
        "model.embedding_size": 32 * round(width / 48),
        "model.hidden_size": width,
        "model.dropout": round(held_back, 2),
        "model.input_dropout": round(held_back, 2),
        "training.epochs": epochs,
        "training.batch_size": batch_size,
        "training.warmup_steps": min(epochs * steps // 20, 200),
        "training.sampled_softmax": sampled,
    }
