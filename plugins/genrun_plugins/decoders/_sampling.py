"""What the sampling decoders share: turning a uniform draw into a choice, and the check of a temperature."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from genrun.errors import OptionError

__all__ = ["check_temperature", "choose_by_inverse_cdf"]

_UNITS = 2.0**32


def check_temperature(temperature: float) -> None:
    """Raise OptionError unless ``temperature`` is a finite number above 0."""
    if not (math.isfinite(temperature) and temperature > 0):
        raise OptionError(
            f"temperature must be a number above 0, not {temperature!r}; "
            "for the most likely token every time there is the decoder 'greedy'"
        )


def choose_by_inverse_cdf(
    logits: NDArray[np.float32], draws: NDArray[np.float32], temperature: float
) -> NDArray[np.intp]:
    """Return the column chosen in each row: the first whose cumulative probability exceeds the draw.

    ``logits``: ``[batch, candidates]``, ``draws``: ``[batch]`` in [0, 1); returns ``[batch]``. The probabilities are
    softmax(logits / temperature). (Inverse transform sampling: Devroye, "Non-Uniform Random Variate Generation",
    1986, chapter III.2.) A candidate of probability 0 is never chosen.

    The highest candidate has the weight 2**32, and all are rounded to whole numbers, so that their sums are exact in
    any order: a model file's own graph, which adds otherwise and has another exp, then chooses the same.
    """
    highest = logits.max(axis=1, keepdims=True)
    with np.errstate(over="ignore"):  # a difference beyond any float is minus infinity: probability 0
        weights = np.rint(np.exp((logits - highest).astype(np.float64) / temperature) * _UNITS)
    cumulative = np.cumsum(weights, axis=1)
    thresholds = draws.astype(np.float64) * cumulative[:, -1]
    chosen: NDArray[np.intp] = (cumulative <= thresholds[:, None]).sum(axis=1)
    return chosen
