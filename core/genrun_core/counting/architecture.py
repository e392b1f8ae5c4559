"""The architecture ``ngram``: counts instead of a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genrun_core.architectures import Architecture

if TYPE_CHECKING:
    import keras

    from genrun_core.recipes.sections import ModelSettings

__all__ = ["NGram"]


@dataclass(frozen=True, slots=True)
class NGram(Architecture):
    """An n-gram model of ``order``: it is counted (:mod:`genrun_core.counting`), so it has no layers."""

    trained = False
    uses = ()

    def weights(self, model: ModelSettings) -> Mapping[str, int]:
        """Return none."""
        return {}

    def layers(self, model: ModelSettings, dtype: str) -> Iterable[keras.layers.Layer]:
        """Return none."""
        return ()

    def describe(self, model: ModelSettings) -> str:
        """Return the order in words."""
        return f"n-grams of up to {model.order} tokens"
