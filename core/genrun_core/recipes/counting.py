"""Which settings are for counts: of an n-gram model alone, or mixed with a network."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING

from genrun.errors import OptionError
from genrun_core.architectures.contract import OPTIONAL
from genrun_core.recipes.sections import ModelSettings, TrainingSettings

if TYPE_CHECKING:
    from genrun_core.recipes.recipe import Recipe

__all__ = ["LONG_TEXT", "ORDER", "RECENT", "check_given", "choose_order", "choose_recent", "unused_settings"]

ORDER = "model.order"
RECENT = "model.recent"
_USED = {
    "model": ("architecture", "order"),
    "training": ("validation", "split_seed", "running_text", "seed", "extend_vocabulary"),
}
LONG_TEXT = 64  # tokens: a text of more than a few lines
_LONG = 200_000  # predictions from which sequences of four words predict better than those of three


def choose_order(kind: str, predictions: int) -> int:
    """Return the order for a tokenizer of ``kind`` and a corpus of this many predictions.

    >>> choose_order("char", 5_000), choose_order("word", 5_000), choose_order("word", 500_000)
    (5, 3, 4)
    >>> choose_order("bpe", 5_000), choose_order("bpe", 500_000)
    (4, 5)
    """
    if kind == "char":
        return 5
    return 3 + (kind == "bpe") + (predictions >= _LONG)


def choose_recent(kind: str, length: float) -> int:
    """Return how many of the last tokens are likelier to come again, for texts of this mean ``length`` in tokens.

    >>> choose_recent("word", 100_000), choose_recent("word", 12), choose_recent("char", 100_000)
    (500, 0, 0)
    """
    return 500 if length > LONG_TEXT and kind != "char" else 0


def check_given(recipe: Recipe, given: Sequence[str]) -> None:
    """Raise OptionError if one of the settings that a user gave, as ``section.key``, has no effect."""
    model = recipe.model
    if model.plugin.trained:
        if ORDER in given and not model.counting:
            raise OptionError(f"order is for counting=true and architecture=ngram, not {model.architecture!r}")
        if RECENT in given and model.recent and not model.counting:
            raise OptionError("recent is for counting=true: recent words are mixed as counts are")
        for key in OPTIONAL:
            if f"model.{key}" in given and key not in model.plugin.uses:
                raise OptionError(f"architecture={model.architecture} makes no use of {key}")
        return
    for name in given:
        section, _, key = name.partition(".")
        if key not in _USED.get(section, (key,)):
            used = ", ".join(("order", *_USED["training"][:-1]))
            raise OptionError(f"{key} is for networks; architecture=ngram counts, and has {used}")


def unused_settings(recipe: Recipe) -> list[str]:
    """Return the settings of a recipe for an n-gram model that are for networks and differ from their defaults."""
    found = []
    for section, default in (("model", ModelSettings()), ("training", TrainingSettings())):
        fields = (field.name for field in dataclasses.fields(default) if field.compare)
        names = (name for name in fields if name not in (*_USED[section], "options"))
        found += [name for name in names if getattr(getattr(recipe, section), name) != getattr(default, name)]
    return found
