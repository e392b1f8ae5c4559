"""The chooser ``mirostat``: keeps the surprise of a text at a level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.sampling import Candidates, inverse_cdf
from genrun_plugins._checks import check_number

__all__ = ["Mirostat"]


@dataclass(frozen=True, slots=True)
class Mirostat:
    """Draws from the candidates whose surprise, -log2 p, is at most μ, which follows the surprise of the text.

    A row begins with μ = 2 · ``tau``; each choice changes it by -``eta`` · (surprise - ``tau``), where the surprise
    is that among the candidates that were left. The likeliest candidate stays in any case. (Mirostat 2.0: Basu et
    al., "Mirostat: A Neural Text Decoding Algorithm that Directly Controls Perplexity", 2021, and llama.cpp.)
    ``tau``: the target in bits, above 0. ``eta``: 0 or more.

    >>> candidates = Candidates(None, np.log(np.array([[0.5, 0.375, 0.125]], np.float32)), 3)
    >>> chooser = Mirostat(tau=1.0, eta=0.5)
    >>> chooser.pick(candidates, [chooser.first([])], np.array([0.99], np.float32))
    array([1])
    >>> [round(state, 4) for state in chooser.adapt(candidates, [2.0], np.array([1]))]
    [1.8888]
    """

    tau: float = 5.0
    eta: float = 0.1

    def __post_init__(self) -> None:
        check_number("tau", self.tau, above=0)
        check_number("eta", self.eta, least=0)

    def first(self, prompt: Sequence[int]) -> float:
        """Return μ of a new row."""
        return 2 * self.tau

    def follow(self, state: float, token: int) -> float:
        """Return μ as it is: what others have chosen does not change it."""
        return state

    def pick(self, candidates: Candidates, states: Sequence[float], draws: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return int64 ``[batch]`` for draws float32 ``[batch]``."""
        left = self._left(candidates, states)
        return left.ids_at(inverse_cdf(left.logits, draws))

    def adapt(self, candidates: Candidates, states: Sequence[float], ids: NDArray[np.int64]) -> list[float]:
        """Return the next μ of each row, after the choice of ``ids``, int64 ``[batch]``."""
        left = self._left(candidates, states)
        rows, columns, _ = left.columns_of(np.arange(len(ids)), ids)
        surprise = left.log_probabilities()[rows, columns] / -math.log(2)
        next_states: list[float] = (np.array(states) - self.eta * (surprise - self.tau)).tolist()
        return next_states

    def _left(self, candidates: Candidates, states: Sequence[float]) -> Candidates:
        logits = candidates.logits
        bounds = np.array(states)[:, None] * -math.log(2)
        return candidates.keep((candidates.log_probabilities() >= bounds) | (logits == candidates.highest()))
