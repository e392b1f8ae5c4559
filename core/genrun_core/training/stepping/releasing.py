"""Leaves the memory to the training of a large network: the code that TensorFlow's start needed goes."""

from __future__ import annotations

from typing import Any

import keras

from genrun_core.library_pages import release_library_pages
from genrun_core.training.stepping.training_loop import Fitting

__all__ = ["Releasing"]

_LAST = 32  # the memory of a step grows for so long


class Releasing(keras.callbacks.Callback):  # type: ignore[misc]
    """Releases pages of libraries, for a large network: before training, after its first steps and each epoch."""

    def __init__(self, fitting: Fitting) -> None:
        super().__init__()
        self._fitting = fitting
        self._steps = 0

    def on_train_begin(self, logs: Any = None) -> None:
        """Release what making the network needed."""
        self._release()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Release what making the graphs of the steps needed: after steps 1, 2, 4, … 32."""
        self._steps += 1
        if self._steps <= _LAST and self._steps.bit_count() == 1:
            self._release()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Release what validation and saving needed."""
        self._release()

    def _release(self) -> None:
        if self._fitting.is_large:
            release_library_pages()
