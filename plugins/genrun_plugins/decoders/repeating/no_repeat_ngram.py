"""The stage ``no-repeat-ngram``: no sequence of n tokens comes twice in a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genrun.sampling import Candidates
from genrun.sampling.candidates import pairs
from genrun_plugins._checks import check_whole
from genrun_plugins.decoders.repeating.matches import Matches, continued, follow, start

__all__ = ["NoRepeatNgram"]


class _Seen(NamedTuple):
    """What a row has repeated, and the ids that would complete an n-gram that it has."""

    matches: Matches
    banned: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class NoRepeatNgram:
    """Leaves out each candidate that would complete a sequence of ``n`` tokens that the row has, prompt included.

    (Paulus et al., "A Deep Reinforced Model for Abstractive Summarization", 2017.) Where that would leave none, all
    stay. ``n``: 1 or more.

    >>> stage, logits = NoRepeatNgram(2), np.zeros((1, 4), np.float32)
    >>> stage.apply(Candidates(None, logits, 4), [stage.first([1, 2, 1])], np.zeros(1, np.float32)).logits.tolist()
    [[0.0, 0.0, -inf, 0.0]]
    """

    n: int = 3

    def __post_init__(self) -> None:
        check_whole("n", self.n, 1)

    def first(self, prompt: Sequence[int]) -> _Seen:
        """Return what the prompt repeats."""
        return self._seen(start(prompt))

    def follow(self, state: _Seen, token: int) -> _Seen:
        """Return what the row repeats after one more token."""
        return self._seen(follow(state.matches, token))

    def apply(self, candidates: Candidates, states: Sequence[_Seen], draws: NDArray[np.float32]) -> Candidates:
        """Return the candidates that complete no n-gram of their row, in the same order."""
        banned = [state.banned for state in states]
        return candidates.without(*pairs(banned)) if any(banned) else candidates

    def _seen(self, matches: Matches) -> _Seen:
        if self.n == 1:
            return _Seen(matches, tuple(set(matches.ids)))
        return _Seen(matches, tuple({token for token, length in continued(matches) if length >= self.n - 1}))
