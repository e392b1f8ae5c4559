"""The recurrent architectures: layers of LSTM, GRU or SimpleRNN, with dropout after each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from genrun_core.architectures import Architecture

if TYPE_CHECKING:
    import keras

    from genrun_core.recipes.sections import ModelSettings

__all__ = ["Gru", "Lstm", "SimpleRnn"]


class _Recurrent(Architecture):
    """What the three have in common; ``sizes``: kernels side by side in a layer, and biases of each unit of one."""

    uses = ("layers", "dropout", "recurrent_dropout")
    sizes: ClassVar[tuple[int, int]]

    def weights(self, model: ModelSettings) -> Mapping[str, int]:
        """Return the numbers of each recurrent layer."""
        (kernels, biases), hidden = self.sizes, model.hidden_size
        widths = [model.embedding_size, *[hidden] * (model.layers - 1)]
        return {
            f"recurrent_{number}": kernels * hidden * (width + hidden + biases)
            for number, width in enumerate(widths, 1)
        }

    def layers(self, model: ModelSettings, dtype: str) -> Iterable[keras.layers.Layer]:
        """Yield the recurrent layers, each with its dropout."""
        from genrun_core.network.layers import dropout

        for number in range(1, model.layers + 1):
            options = {"return_sequences": True, "return_state": True, "name": f"recurrent_{number}", "dtype": dtype}
            yield self.layer(model.hidden_size, model.recurrent_dropout, options)
            yield from dropout(model, model.dropout, f"dropout_{number}", dtype)

    def layer(self, units: int, dropped: float, options: Mapping[str, Any]) -> keras.layers.RNN:
        """Return one recurrent layer; ``dropped``: the share of the state that is."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Lstm(_Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber 1997)."""

    sizes = (4, 1)

    def layer(self, units: int, dropped: float, options: Mapping[str, Any]) -> keras.layers.RNN:
        """Return a layer that trains faster than Keras's own."""
        from genrun_core.network.lstm import FastLSTM

        return FastLSTM(units, state_dropout=dropped, **options)


@dataclass(frozen=True, slots=True)
class Gru(_Recurrent):
    """Gated recurrent units (Cho et al. 2014)."""

    sizes = (3, 2)

    def layer(self, units: int, dropped: float, options: Mapping[str, Any]) -> keras.layers.RNN:
        """Return Keras's layer."""
        import keras

        return keras.layers.GRU(units, recurrent_dropout=dropped, **options)


@dataclass(frozen=True, slots=True)
class SimpleRnn(_Recurrent):
    """The simple recurrent network (Elman 1990)."""

    sizes = (1, 1)

    def layer(self, units: int, dropped: float, options: Mapping[str, Any]) -> keras.layers.RNN:
        """Return Keras's layer."""
        import keras

        return keras.layers.SimpleRNN(units, recurrent_dropout=dropped, **options)
