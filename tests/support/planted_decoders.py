"""Decoders, stages and choosers with one mistake each, and the words of the message that names it."""

from __future__ import annotations

import dataclasses
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from genrun.plugins import Candidates, inverse_cdf

__all__ = ["MISTAKES"]

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]
Tokens = Sequence[Ids]


def _drawn(logits: Floats, draws: Floats) -> Ids:
    return inverse_cdf(logits, draws).astype(np.int64)


def _likeliest(logits: Floats) -> Ids:
    ids: Ids = logits.argmax(axis=1)
    return ids


@dataclass(frozen=True)
class GlobalNumPy:
    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Ids:
        return _drawn(logits, np.random.random(len(logits)).astype(np.float32))


@dataclass(frozen=True)
class GlobalPython:
    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Ids:
        return _drawn(logits, np.array([random.random() for _ in draws], np.float32))


@dataclass(frozen=True)
class OwnGenerator:
    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Ids:
        return _drawn(logits, np.random.default_rng().random(len(logits), np.float32))


@dataclass(frozen=True)
class ReadsOtherRows:
    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Ids:
        return _drawn(np.where(logits > -np.inf, logits - logits[::-1].max() / 9 * (logits[0] > 0), -np.inf), draws)


@dataclass(frozen=True)
class SharedDraw:
    def apply(self, candidates: Candidates, states: Sequence[Any], draws: Floats) -> Candidates:
        return candidates.top(1 + int(draws.max() * 5))


@dataclass(frozen=True)
class FloatIds:
    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Any:
        return logits.argmax(axis=1).astype(np.float32)


@dataclass(frozen=True)
class WrongShape:
    def pick(self, candidates: Candidates, states: Sequence[Any], draws: Floats) -> Ids:
        return candidates.ids_at(candidates.logits.argmax(axis=1))[:, None]


@dataclass(frozen=True)
class OutOfRange:
    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Ids:
        ids: Ids = _likeliest(logits) + logits.shape[1]
        return ids


@dataclass(frozen=True)
class ForbiddenToken:
    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Ids:
        return _likeliest(-logits)


@dataclass(frozen=True)
class BringsBack:
    def apply(self, candidates: Candidates, states: Sequence[Any], draws: Floats) -> Candidates:
        out = candidates.logits == -np.inf
        known = True if candidates.ids is None else candidates.ids >= 0
        return candidates.with_logits(np.where(out & known, -50.0, candidates.logits))


@dataclass(frozen=True)
class NotANumber:
    def apply(self, candidates: Candidates, states: Sequence[Any], draws: Floats) -> Candidates:
        return candidates.with_logits(np.where(candidates.logits > 1, np.nan, candidates.logits))


@dataclass(frozen=True)
class DoubleLogits:
    def apply(self, candidates: Candidates, states: Sequence[Any], draws: Floats) -> Candidates:
        return dataclasses.replace(candidates, logits=candidates.logits.astype(np.float64))


@dataclass(frozen=True)
class NothingLeft:
    def apply(self, candidates: Candidates, states: Sequence[Any], draws: Floats) -> Candidates:
        return candidates.with_logits(np.where(candidates.logits > 3, candidates.logits, -np.inf))


@dataclass(frozen=True)
class NoCandidates:
    def apply(self, candidates: Candidates, states: Sequence[Any], draws: Floats) -> Any:
        return candidates.logits


@dataclass(frozen=True)
class ChangesItsArgument:
    def apply(self, candidates: Candidates, states: Sequence[Any], draws: Floats) -> Candidates:
        candidates.logits[:] /= 2
        return candidates


@dataclass(frozen=True)
class OverwritesLogits:
    contract: ClassVar[int] = 2

    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Ids:
        logits /= 2
        return _drawn(logits, draws)


@dataclass(frozen=True)
class CountsItsCalls:
    calls: list[int] = field(default_factory=list, init=False, repr=False, compare=False)

    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Ids:
        self.calls.append(1)
        return _drawn(logits, (draws + 0.3 * len(self.calls)).astype(np.float32) % np.float32(1))


@dataclass
class NotFrozen:
    k: int = 3

    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Ids:
        return _likeliest(logits)


@dataclass(frozen=True)
class ChangesItsOptions:
    strength: float = 2.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "strength", self.strength / 2)

    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Ids:
        return _likeliest(logits)


@dataclass(frozen=True)
class OptionOfAStrangeType:
    banned: frozenset[str] = frozenset({"sea"})

    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Ids:
        return _likeliest(logits)


_SCRATCH: Ids = np.zeros(1, np.int64)


@dataclass(frozen=True)
class SharedScratch:
    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Ids:
        global _SCRATCH
        _SCRATCH = _likeliest(logits)
        time.sleep(0.002)  # other threads run meanwhile, as they do in any call of NumPy
        return _SCRATCH


@dataclass(frozen=True)
class FoldThatAppends:
    def first(self, prompt: Sequence[int]) -> list[int]:
        return list(prompt)

    def follow(self, state: list[int], token: int) -> list[int]:
        state.append(token)
        return state

    def apply(self, candidates: Candidates, states: Sequence[Any], draws: Floats) -> Candidates:
        return candidates.top(1 + len(states[0]) % 3) if len(states) == 1 else candidates


@dataclass(frozen=True)
class FoldByChance:
    def first(self, prompt: Sequence[int]) -> float:
        return time.perf_counter()

    def follow(self, state: float, token: int) -> float:
        return state

    def apply(self, candidates: Candidates, states: Sequence[Any], draws: Floats) -> Candidates:
        return candidates


@dataclass(frozen=True)
class AdaptsInPlace:
    def first(self, prompt: Sequence[int]) -> list[float]:
        return [1.0]

    def follow(self, state: list[float], token: int) -> list[float]:
        return list(state)

    def pick(self, candidates: Candidates, states: Sequence[Any], draws: Floats) -> Ids:
        return candidates.ids_at(candidates.logits.argmax(axis=1))

    def adapt(self, candidates: Candidates, states: Sequence[Any], ids: Ids) -> list[list[float]]:
        for state in states:
            state[0] += 1.0
        return list(states)


@dataclass(frozen=True)
class OtherShortcut:
    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Ids:
        return _drawn(logits, draws)

    def parameters(self) -> Mapping[str, float]:
        return {"k": 5}


@dataclass(frozen=True)
class Prints:
    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Ids:
        print("choosing")
        return _likeliest(logits)


@dataclass(frozen=True)
class Raises:
    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Ids:
        return np.array([row[-3] for row in tokens])


@dataclass(frozen=True)
class OfANewerGenrun:
    contract: ClassVar[int] = 99

    def choose(self, logits: Floats, tokens: Tokens, draws: Floats) -> Ids:
        return _likeliest(logits)


MISTAKES: list[tuple[object, str]] = [
    (GlobalNumPy(), "uses global randomness"),
    (GlobalPython(), "uses global randomness"),
    (OwnGenerator(), "takes chance, the time or a state from outside its arguments"),
    (ReadsOtherRows(), r"ReadsOtherRows.choose\(\) gives another answer for a row beside other rows"),
    (SharedDraw(), r"looks at their logits, tokens or draws"),
    (FloatIds(), r"must return 12 token ids as an integer array, not float32 \[12\]"),
    (WrongShape(), r"must return 12 token ids as an integer array, not int64 \[12, 1\]"),
    (OutOfRange(), r"chose the token \d+, outside 0 … \d+"),
    (ForbiddenToken(), "chose a token that must not be chosen"),
    (BringsBack(), r"BringsBack.apply\(\) brings back a token that was out"),
    (NotANumber(), "returns a logit that is NaN"),
    (DoubleLogits(), r"must return logits float32 \[12, c\], not float64"),
    (NothingLeft(), "leaves a row without any candidate"),
    (NoCandidates(), "must return Candidates, not ndarray"),
    (ChangesItsArgument(), r"apply\(\) changes an array that it is given"),
    (OverwritesLogits(), r"choose\(\) changes an array that it is given"),
    (CountsItsCalls(), "gives another answer when called again .* it keeps state between calls"),
    (NotFrozen(), "must be a frozen dataclass"),
    (ChangesItsOptions(), "its options do not survive JSON: .*strength=1.0.* comes back as .*strength=0.5"),
    (OptionOfAStrangeType(), "its options do not survive JSON: banned has the type"),
    (SharedScratch(), "gives another answer while other threads call it"),
    (FoldThatAppends(), r"follow\(\) changes the state that it is given"),
    (FoldByChance(), r"first\(\) returns another state for the same prompt"),
    (AdaptsInPlace(), r"adapt\(\) changes the states that it is given"),
    (OtherShortcut(), r"the shortcut of parameters\(\), \{'k': 5\}, chooses the token"),
    (Prints(), "it prints 'choosing.*', which would be among the texts"),
    (Raises(), r"it raised IndexError: .*planted_decoders.py:\d+"),
    (OfANewerGenrun(), "was written for contract 99, and this genrun .* works with 1 to 2: "),
]
