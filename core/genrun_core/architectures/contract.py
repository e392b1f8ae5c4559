"""The contract of an architecture, without Keras: recipes read it before TensorFlow is imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from genrun.errors import OptionError

if TYPE_CHECKING:
    import keras

    from genrun_core.recipes.sections import ModelSettings

__all__ = ["OPTIONAL", "Architecture", "State"]

OPTIONAL = ("layers", "dropout", "recurrent_dropout", "window")  # the others have a meaning in every network
_DTYPES = ("float32", "float16", "int64", "int32")  # that a model file may carry


@dataclass(frozen=True, slots=True)
class State:
    """A state that a layer carries from token to token; before the first token it is zero.

    ``shape``: without the batch. ``dtype``: float32, or int64 for whole numbers, which are compared exactly; float16
    and int32 are possible too. Raises OptionError for another dtype.

    >>> State((3, 8)).zeros(2).shape
    (2, 3, 8)
    """

    shape: tuple[int, ...]
    dtype: str = "float32"

    def __post_init__(self) -> None:
        if self.dtype not in _DTYPES:
            raise OptionError(f"a state has the dtype {', '.join(_DTYPES[:-1])} or {_DTYPES[-1]}, not {self.dtype!r}")

    def zeros(self, rows: int) -> NDArray[np.generic]:
        """Return the state of ``rows`` texts that begin, ``[rows, …]``."""
        return np.zeros((rows, *self.shape), self.dtype)


class Architecture:
    """Base of an architecture: what stands between the embedded tokens and the logits.

    A subclass is a frozen dataclass. Its fields are its own options, which stand in the recipe's section ``model``
    beside the common ones (:class:`~genrun_core.recipes.sections.ModelSettings`, given to each method as ``model``),
    and must have other names. It defines :meth:`weights` and :meth:`layers`. Its module imports Keras and TensorFlow
    inside these methods only, since commands that train nothing import it too.
    """

    trained: ClassVar[bool] = True
    """Whether there is a network to train. An n-gram model, which is counted, is the only other one."""
    carries: ClassVar[bool] = True
    """Whether the network may train on running text, with its states carried from batch to batch."""
    specials: ClassVar[tuple[str, ...]] = ()
    """The special tokens that the network needs before a text, such as ``pad``."""
    uses: ClassVar[tuple[str, ...]] = ("layers", "dropout")
    """Which of the common options layers, dropout, recurrent_dropout and window have an effect."""

    def check(self, model: ModelSettings) -> None:
        """Raise OptionError for options that do not fit together."""

    def weights(self, model: ModelSettings) -> Mapping[str, int]:
        """Return the names of all layers that have weights, first to last, and how many numbers each has.

        It is asked before anything is built: for the names that ``freeze`` accepts, the memory that a training
        needs, and the size of a file.
        """
        raise NotImplementedError

    def before_embedding(self, model: ModelSettings) -> Iterable[keras.layers.Layer]:
        """Return the layers that take token ids and return ids; usually there are none."""
        return ()

    def layers(self, model: ModelSettings, dtype: str) -> Iterable[keras.layers.Layer]:
        """Return the layers between the embedded tokens and the logits, in order; each feeds the next.

        The first takes ``[batch, time, embedding_size]``, the last returns ``[batch, time, hidden_size]``. Each is a
        :class:`~genrun_core.architectures.StepLayer`, or Keras's Dense, Dropout, LSTM, GRU or SimpleRNN, the last
        three with ``return_sequences`` and ``return_state``. ``dtype``: Keras's name of what is computed with.
        """
        raise NotImplementedError

    def describe(self, model: ModelSettings) -> str:
        """Return the kind and size of the network in words, for the lines of a training."""
        return f"{model.layers} × {model.architecture} {model.hidden_size}, embedding {model.embedding_size}"
