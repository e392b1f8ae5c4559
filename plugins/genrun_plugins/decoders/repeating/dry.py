"""The stage ``dry`` (don't repeat yourself): the longer a repetition, the less likely it goes on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Vocabulary
from genrun.errors import OptionError
from genrun.sampling import Candidates
from genrun.sampling.candidates import pairs
from genrun_plugins._checks import check_number, check_whole
from genrun_plugins.decoders.repeating.matches import Matches, continued, follow, start

__all__ = ["Dry"]

_MOST = 1e30  # a penalty that no logit outweighs, and that float32 holds


class _Repeated(NamedTuple):
    """What a row has repeated, and the penalty of each id that would go on with it."""

    matches: Matches
    penalties: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Dry:
    """Subtracts multiplier · base ** (length - allowed) from the logits of tokens that would go on with a repetition.

    The length is that of the longest end of the row, prompt included, that stands before the token already; below
    ``allowed`` nothing changes. (DRY by p-e-w, text-generation-webui and llama.cpp, 2024.) A repetition does not go
    across one of the ``breakers``, tokens such as a mark or a line break; those that the model does not have are
    without effect. ``multiplier``: 0 or more. ``base``: 1 or more. ``allowed``: 1 or more. ``window``: among how many
    last tokens, 0 for all.

    >>> stage, logits = Dry(0.5, base=2.0, breakers=()).bind(None), np.zeros((1, 4), np.float32)
    >>> state = stage.first([1, 2, 3, 1, 2])
    >>> stage.apply(Candidates(None, logits, 4), [state], np.zeros(1, np.float32)).logits.tolist()
    [[0.0, 0.0, 0.0, -0.5]]
    """

    multiplier: float = 0.8
    base: float = 1.75
    allowed: int = 2
    window: int = 1024
    breakers: tuple[str, ...] = ("\n", ":", '"', "*")

    def __post_init__(self) -> None:
        check_number("multiplier", self.multiplier, least=0)
        check_number("base", self.base, least=1)
        check_whole("allowed", self.allowed, 1)
        check_whole("window", self.window, 0)
        if "" in self.breakers:
            raise OptionError("a breaker must not be empty")

    def bind(self, vocabulary: Vocabulary | None) -> _BoundDry:
        """Return the stage for a model."""
        words = set(self.breakers)
        ids = [i for i, word in enumerate(vocabulary.words if words and vocabulary else ()) if word in words]
        return _BoundDry(self, frozenset(ids))


@dataclass(frozen=True, slots=True)
class _BoundDry:
    options: Dry
    breakers: frozenset[int]

    def first(self, prompt: Sequence[int]) -> _Repeated:
        return self._repeated(start(prompt, self.breakers, self.options.window))

    def follow(self, state: _Repeated, token: int) -> _Repeated:
        return self._repeated(follow(state.matches, token, self.breakers, self.options.window))

    def apply(self, candidates: Candidates, states: Sequence[_Repeated], draws: NDArray[np.float32]) -> Candidates:
        penalties = [state.penalties for state in states]
        if not any(penalties):
            return candidates
        rows, ids = pairs([[token for token, _ in row] for row in penalties])
        rows, columns, which = candidates.columns_of(rows, ids)
        subtracted = np.array([penalty for row in penalties for _, penalty in row], np.float32)
        logits = candidates.logits.copy()
        logits[rows, columns] -= subtracted[which]
        return candidates.with_logits(logits)

    def _repeated(self, matches: Matches) -> _Repeated:
        longest: dict[int, int] = {}
        for token, length in continued(matches):
            if length >= self.options.allowed and token not in self.breakers:
                longest[token] = max(length, longest.get(token, 0))
        return _Repeated(matches, tuple((token, self._penalty(length)) for token, length in longest.items()))

    def _penalty(self, length: int) -> float:
        multiplier, base = self.options.multiplier, self.options.base
        exponent = (length - self.options.allowed) * math.log(base)
        return min(multiplier * math.exp(min(exponent, math.log(_MOST))), _MOST)
