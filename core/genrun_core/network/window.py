"""The window architecture: a feed-forward network over the last tokens (Bengio et al. 2003)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genrun.errors import OptionError
from genrun_core.architectures import Architecture

if TYPE_CHECKING:
    import keras

    from genrun_core.recipes.sections import ModelSettings

__all__ = ["Window"]


@dataclass(frozen=True, slots=True)
class Window(Architecture):
    """A hidden layer over the vectors of the last ``window`` tokens, side by side."""

    carries = False
    specials = ("pad",)
    uses = ("layers", "dropout", "window")

    def check(self, model: ModelSettings) -> None:
        """Refuse what only recurrent layers have."""
        if model.layers != 1:
            raise OptionError(f"the window architecture has one layer, not {model.layers}")

    def weights(self, model: ModelSettings) -> Mapping[str, int]:
        """Return the numbers of the hidden layer."""
        return {"hidden": model.hidden_size * (model.window * model.embedding_size + 1)}

    def before_embedding(self, model: ModelSettings) -> Iterable[keras.layers.Layer]:
        """Yield the layer that shows each position the last ids."""
        from genrun_core.network.layers import LastTokens

        yield LastTokens(model.window, name="window")

    def layers(self, model: ModelSettings, dtype: str) -> Iterable[keras.layers.Layer]:
        """Yield the layers that join the vectors, ``[batch, time, window, size]``, and make hidden values of them."""
        import keras

        from genrun_core.network.layers import dropout

        yield keras.layers.Reshape((-1, model.window * model.embedding_size), name="joined", dtype=dtype)
        yield keras.layers.Dense(model.hidden_size, activation="tanh", name="hidden", dtype=dtype)
        yield from dropout(model, model.dropout, "dropout_1", dtype)

    def describe(self, model: ModelSettings) -> str:
        """Return the sizes in words."""
        return f"window of {model.window}, embedding {model.embedding_size}, hidden {model.hidden_size}"
