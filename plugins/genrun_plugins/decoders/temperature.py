"""The decoder and stage ``temperature``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.errors import OptionError
from genrun.sampling import Candidates, inverse_cdf

__all__ = ["Temperature", "check_temperature", "divided"]

_FAR = 1e30  # beyond it, differences of logits would be lost


@dataclass(frozen=True, slots=True)
class Temperature:
    """Draws each token with the probability softmax(logits / temperature); in a chain, divides the logits.

    ``temperature``: above 0. Below 1, likely tokens become likelier; above 1, probabilities become more even. The
    candidates of the inverse CDF are the tokens in the order of their ids. Raises OptionError for a temperature of 0
    or below.

    >>> logits = np.log(np.array([[0.2, 0.3, 0.5]], np.float32))
    >>> [int(Temperature().choose(logits, [], np.array([u], np.float32))[0]) for u in (0.1, 0.4, 0.9)]
    [0, 1, 2]
    """

    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_temperature(self.temperature)

    def choose(
        self,
        logits: NDArray[np.float32],
        tokens: Sequence[NDArray[np.int64]],
        draws: NDArray[np.float32],
    ) -> NDArray[np.int64]:
        """Return int64 ``[batch]`` for logits float32 ``[batch, vocabulary]`` and draws ``[batch]``."""
        return inverse_cdf(logits, draws, self.temperature)

    def apply(self, candidates: Candidates, states: Sequence[None], draws: NDArray[np.float32]) -> Candidates:
        """Return the same candidates with divided logits."""
        return divided(candidates, self.temperature)

    def parameters(self) -> Mapping[str, float]:
        """Return k and temperature, with which a model file's graph chooses the same."""
        return {"k": -1, "temperature": self.temperature}


def check_temperature(temperature: float) -> None:
    """Raise OptionError unless ``temperature`` is a finite number above 0."""
    if not (math.isfinite(temperature) and temperature > 0):
        raise OptionError(
            f"temperature must be a number above 0, not {temperature!r}; "
            "for the most likely token every time there is the decoder 'greedy'"
        )


def divided(candidates: Candidates, temperatures: NDArray[np.float64] | float) -> Candidates:
    """Return the candidates with their logits divided by temperatures ``[batch, 1]``, or by one for all.

    Where a quotient would be infinite, the row's highest logit is subtracted first, which changes no probability.
    """
    with np.errstate(all="ignore"):
        scaled = (candidates.logits / temperatures).astype(np.float32)
        highest = (candidates.highest() / temperatures).astype(np.float32)
        near = (np.abs(highest) <= _FAR)[:, 0]
        if not near.all():
            far = ~near
            logits, own = candidates.logits[far], candidates.highest()[far]
            divisors = temperatures if isinstance(temperatures, float) else temperatures[far]
            scaled[far] = (logits - own).astype(np.float64) / divisors
            highest[far] = 0
    return candidates.with_logits(scaled, highest=highest)
