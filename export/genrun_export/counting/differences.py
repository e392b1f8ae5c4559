"""How far a step's logits are from what they should be, at each token of some sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from genrun.generating.stepping.session import StepSession
from genrun_export.gate.greedy import step_by_step

__all__ = ["largest_difference"]

Logits = NDArray[np.float32]
Logs = NDArray[np.float64]


def largest_difference(
    sessions: Sequence[StepSession],
    sequences: Sequence[tuple[int, ...]],
    batch_size: int,
    differences: Callable[[tuple[int, ...], Sequence[Logits]], Logs],
) -> float:
    """Return the largest difference after any token of the sequences; NaN if one is not a number.

    All ``sessions`` run over the same tokens. ``differences`` is given the tokens so far and the logits float32
    ``[vocabulary]`` of each session, and returns what is compared, float64 ``[vocabulary]``.
    """
    largest = 0.0
    for first in range(0, len(sequences), batch_size):
        group = sequences[first : first + batch_size]
        steps = zip(*(step_by_step(session, group) for session in sessions), strict=True)
        for position, logits in enumerate(steps):
            for row, sequence in enumerate(group):
                if position < len(sequence):
                    found = differences(sequence[: position + 1], [of_session[row] for of_session in logits])
                    # np.maximum keeps a difference that is not a number, which max() may lose
                    largest = np.maximum(largest, np.abs(found).max())
    return float(largest)
