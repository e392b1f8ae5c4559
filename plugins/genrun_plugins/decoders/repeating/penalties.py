"""The stages ``repetition``, ``presence`` and ``frequency``: tokens used a moment ago become less likely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.sampling import Candidates
from genrun.sampling.candidates import pairs
from genrun_plugins._checks import check_number, check_whole

__all__ = ["Frequency", "Presence", "Repetition"]

Recent = tuple[int, ...]  # the last tokens of a row


@dataclass(frozen=True, slots=True)
class _Penalty:
    """Knows the last ``window`` tokens of each row, prompt included; all for 0."""

    penalty: float
    window: int = 64

    def __post_init__(self) -> None:
        check_number("penalty", self.penalty)
        check_whole("window", self.window, 0)

    def first(self, prompt: Sequence[int]) -> Recent:
        """Return the last tokens of the prompt."""
        return tuple(prompt)[-self.window :]

    def follow(self, state: Recent, token: int) -> Recent:
        """Return the last tokens."""
        return (*state, token)[-self.window :]

    def _subtracted(self, candidates: Candidates, states: Sequence[Recent], *, once: bool) -> Candidates:
        """Return the candidates less ``penalty``, as many times as each was used, or ``once`` each."""
        rows, columns, _ = candidates.columns_of(*pairs(states))
        if self.penalty == 0 or not len(rows):
            return candidates
        places, times = np.unique(_places(candidates, rows, columns), return_counts=True)
        logits = candidates.logits.copy()
        logits.reshape(-1)[places] -= np.float32(self.penalty) * (1 if once else times.astype(np.float32))
        return candidates.with_logits(logits)


@dataclass(frozen=True, slots=True)
class Repetition(_Penalty):
    """Divides the logits of the last tokens by ``penalty`` if they are above 0; multiplies them by it if below.

    (Keskar et al., "CTRL: A Conditional Transformer Language Model for Controllable Generation", 2019; for logits
    below 0, Hugging Face's rule.) ``penalty``: from 0.01; above 1 against repetition. ``window``: how many tokens,
    prompt included; 0 for all.

    >>> stage, logits = Repetition(2.0), np.array([[4.0, -1.0, 4.0]], np.float32)
    >>> state = stage.follow(stage.first([0]), 1)
    >>> stage.apply(Candidates(None, logits, 3), [state], np.zeros(1, np.float32)).logits.tolist()
    [[2.0, -2.0, 4.0]]
    """

    penalty: float = 1.1

    def __post_init__(self) -> None:
        check_number("penalty", self.penalty, least=0.01)
        check_whole("window", self.window, 0)

    def apply(self, candidates: Candidates, states: Sequence[Recent], draws: NDArray[np.float32]) -> Candidates:
        """Return the same candidates with other logits."""
        rows, columns, _ = candidates.columns_of(*pairs(states))
        if self.penalty == 1 or not len(rows):
            return candidates
        penalty, logits = np.float32(self.penalty), candidates.logits.copy()
        places, flat = _places(candidates, rows, columns), logits.reshape(-1)
        used = flat.take(places)
        flat[places] = np.where(used < 0, used * penalty, used / penalty)
        return candidates.with_logits(logits)


@dataclass(frozen=True, slots=True)
class Presence(_Penalty):
    """Subtracts ``penalty`` from the logits of the last tokens, however often each was used.

    (The presence penalty of the OpenAI API.) ``penalty``: any number; above 0 against repetition. ``window``: how
    many tokens, prompt included; 0 for all.

    >>> stage, logits = Presence(0.5), np.array([[4.0, -1.0, 4.0]], np.float32)
    >>> stage.apply(Candidates(None, logits, 3), [stage.first([0, 0, 1])], np.zeros(1, np.float32)).logits.tolist()
    [[3.5, -1.5, 4.0]]
    """

    penalty: float = 0.5

    def apply(self, candidates: Candidates, states: Sequence[Recent], draws: NDArray[np.float32]) -> Candidates:
        """Return the same candidates with other logits."""
        return self._subtracted(candidates, states, once=True)


@dataclass(frozen=True, slots=True)
class Frequency(_Penalty):
    """Subtracts ``penalty`` from the logits of the last tokens as many times as each was used.

    (The frequency penalty of the OpenAI API.) ``penalty``: any number; above 0 against repetition. ``window``: how
    many tokens, prompt included; 0 for all.

    >>> stage, logits = Frequency(0.5), np.array([[4.0, -1.0, 4.0]], np.float32)
    >>> stage.apply(Candidates(None, logits, 3), [stage.first([0, 0, 1])], np.zeros(1, np.float32)).logits.tolist()
    [[3.0, -1.5, 4.0]]
    """

    penalty: float = 0.2

    def apply(self, candidates: Candidates, states: Sequence[Recent], draws: NDArray[np.float32]) -> Candidates:
        """Return the same candidates with other logits."""
        return self._subtracted(candidates, states, once=False)


def _places(candidates: Candidates, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return where ``rows`` and ``columns`` are in all logits, one row after another."""
    batch, width = candidates.logits.shape
    return columns if batch == 1 else rows * width + columns
