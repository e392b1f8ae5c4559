"""Dropout as the options of a recipe ask for it."""

from __future__ import annotations

from collections.abc import Iterator

import keras

from genrun_core.recipes.sections import ModelSettings

__all__ = ["dropout"]


def dropout(
    model: ModelSettings, rate: float, name: str, dtype: str, *, in_time: bool = True
) -> Iterator[keras.Layer]:
    """Yield a layer that drops the share ``rate`` of its inputs, or nothing for a rate of 0.

    With ``locked_dropout``, inputs ``[batch, time, …]`` (``in_time``) keep one mask for a whole sequence.
    """
    if rate:
        kind = keras.layers.SpatialDropout1D if model.locked_dropout and in_time else keras.layers.Dropout
        yield kind(rate, name=name, dtype=dtype)
