"""The stage ``min-length``: a text does not end before it has some tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Vocabulary
from genrun.sampling import Candidates
from genrun.sampling.candidates import pairs
from genrun_plugins._checks import check_whole

__all__ = ["MinLength"]


@dataclass(frozen=True, slots=True)
class MinLength:
    """Leaves out the tokens that end a text while it has fewer than ``n`` new ones.

    Where only these are left, they stay; so let this stage come before those that narrow. ``n``: 0 or more.

    >>> from types import SimpleNamespace
    >>> stage, logits = MinLength(2).bind(SimpleNamespace(end_ids=(0,))), np.zeros((2, 3), np.float32)
    >>> states = [stage.first([5, 6]), stage.follow(stage.follow(stage.first([]), 1), 2)]
    >>> stage.apply(Candidates(None, logits, 3), states, np.zeros(2, np.float32)).logits.tolist()
    [[-inf, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    n: int = 5

    def __post_init__(self) -> None:
        check_whole("n", self.n, 0)

    def bind(self, vocabulary: Vocabulary) -> _BoundMinLength:
        """Return the stage for a model."""
        return _BoundMinLength(self.n, tuple(vocabulary.end_ids))


@dataclass(frozen=True, slots=True)
class _BoundMinLength:
    n: int
    end_ids: tuple[int, ...]

    def first(self, prompt: Sequence[int]) -> int:
        return 0

    def follow(self, state: int, token: int) -> int:
        return min(state + 1, self.n)

    def apply(self, candidates: Candidates, states: Sequence[int], draws: NDArray[np.float32]) -> Candidates:
        short = [self.end_ids if state < self.n else () for state in states]
        return candidates.without(*pairs(short))
