"""The decoder ``no-repeat``: samples, but never a token that was used a moment ago."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from genrun.plugins import OptionError

__all__ = ["NoRepeat"]


@dataclass(frozen=True, slots=True)
class NoRepeat:
    """Draws from softmax(logits / temperature) without the tokens among the row's last ``window``, prompt included.

    Where that leaves no token, the draw is from all of them. ``window``: 1 or more; ``temperature``: above 0.

    >>> logits = np.log(np.array([[0.2, 0.3, 0.5]], np.float32))
    >>> NoRepeat(window=1).choose(logits, [np.array([0, 2])], np.array([0.9], np.float32))
    array([1])
    """

    contract: ClassVar[int] = 2

    window: int = 4
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what cannot work, once, before anything is generated."""
        if self.window < 1:
            raise OptionError(f"window must be 1 or more, not {self.window!r}")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise OptionError(f"temperature must be a number above 0, not {self.temperature!r}")

    def choose(
        self,
        logits: NDArray[np.float32],
        tokens: Sequence[NDArray[np.int64]],
        draws: NDArray[np.float32],
    ) -> NDArray[np.int64]:
        """Return int64 ``[batch]`` for logits float32 ``[batch, vocabulary]`` and draws ``[batch]``."""
        allowed = logits.copy()
        for row, so_far in enumerate(tokens):
            allowed[row, so_far[-self.window :]] = -np.inf
        nothing_left = np.isneginf(allowed).all(axis=1)  # [batch]
        allowed[nothing_left] = logits[nothing_left]
        return _inverse_cdf(allowed, draws, self.temperature)


def _inverse_cdf(logits: NDArray[np.float32], draws: NDArray[np.float32], temperature: float) -> NDArray[np.int64]:
    """Return in each row the first token whose cumulative probability exceeds the draw, ``[batch]``."""
    relative = (logits - logits.max(axis=1, keepdims=True)).astype(np.float64)  # 0 for the likeliest
    cumulative = np.cumsum(np.exp(relative / temperature), axis=1)  # [batch, vocabulary], not normalized
    thresholds = draws[:, None] * cumulative[:, -1:]
    chosen: NDArray[np.int64] = (cumulative <= thresholds).sum(axis=1)
    return chosen
