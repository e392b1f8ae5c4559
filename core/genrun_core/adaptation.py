"""Sizes and regularization that fit a corpus, for recipes that leave them open (``adapt = true``).

The rules are fitted to held-out loss on corpora from 3,000 to 5 million tokens, in training that two cores finish
while one waits: a network grows with the corpus, the fewer tokens there are for it the more it is held back.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from genrun_core.recipe import Recipe

__all__ = ["adapt"]

_TYPICAL = 500_000  # predictions in an epoch


def adapt(recipe: Recipe, *, predictions: int, vocabulary: int) -> Recipe:
    """Return ``recipe`` with its open values chosen for so many ``predictions`` an epoch; nothing is open then.

    >>> from genrun_core.recipe import load_recipe
    >>> small, large = (adapt(load_recipe("default"), predictions=n, vocabulary=9000) for n in (5_000, 1_000_000))
    >>> small.model.hidden_size < large.model.hidden_size, small.training.epochs > large.training.epochs
    (True, True)
    """
    values = _choose(predictions, vocabulary, tied=recipe.model.tied)
    chosen: dict[str, dict[str, Any]] = {"model": {}, "training": {}}
    for name in recipe.adapt:
        section, _, key = name.partition(".")
        chosen[section][key] = values[name]
    model = dataclasses.replace(recipe.model, **chosen["model"])
    training = dataclasses.replace(recipe.training, **chosen["training"])
    return dataclasses.replace(recipe, model=model, training=training, adapt=())


def _choose(predictions: int, vocabulary: int, *, tied: bool) -> dict[str, Any]:
    """Return a value for each key of ``recipe.ADAPTABLE``."""
    ratio = max(predictions, 1) / _TYPICAL
    width = 32 * round(min(max(400 * ratio**0.25, 64), 768) / 32)
    held_back = min(max(0.5 - 0.1 * math.log10(max(ratio, 1e-9) / 2), 0.2), 0.5)  # 0.5 up to a million, 0.4 at ten
    sampled = 0 if not tied or vocabulary < 8_192 or predictions < 200_000 else 2_048
    return {
        "model.embedding_size": width,
        "model.hidden_size": width,
        "model.dropout": round(held_back, 2),
        "model.input_dropout": round(held_back, 2),
        "training.epochs": round(min(max(20 * ratio ** (-1 / 3), 4), 60)),
        "training.batch_size": 32 if ratio < 4 else 64,
        "training.sampled_softmax": sampled,
    }
