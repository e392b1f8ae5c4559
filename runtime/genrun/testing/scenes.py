"""Made-up batches for the checks of decoders: logits, tokens so far and draws, always the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from genrun.sampling import Candidates

__all__ = ["Row", "Scene", "read_only", "scene"]

A = TypeVar("A", bound=NDArray[Any])

_ROWS = 12
_OUT = 0.2  # the share of tokens that must not be chosen


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One text in the making: its prompt, the ids that followed, its logits float32 ``[vocabulary]`` and its draw."""

    prompt: tuple[int, ...]
    new_ids: tuple[int, ...]
    logits: NDArray[np.float32]
    draw: float


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A batch of ``rows``; ``few``: its candidates are some columns, as behind a stage, rather than all tokens."""

    rows: tuple[Row, ...]
    few: bool = False

    def only(self, numbers: Sequence[int]) -> Scene:
        """Return the batch of the rows ``numbers``, in that order."""
        return replace(self, rows=tuple(self.rows[number] for number in numbers))

    @property
    def logits(self) -> NDArray[np.float32]:
        """The logits, float32 ``[batch, vocabulary]``, in a new array."""
        return np.stack([row.logits for row in self.rows])

    @property
    def draws(self) -> NDArray[np.float32]:
        """The draws, float32 ``[batch]``, read-only."""
        return read_only(np.array([row.draw for row in self.rows], np.float32))

    @property
    def tokens(self) -> list[NDArray[np.int64]]:
        """The ids of each row so far, int64, read-only."""
        return [read_only(np.array((*row.prompt, *row.new_ids), np.int64)) for row in self.rows]

    @property
    def candidates(self) -> Candidates:
        """What a stage gets, with read-only arrays."""
        logits = self.logits
        vocabulary = logits.shape[1]
        if not self.few:
            return Candidates(None, read_only(logits), vocabulary)
        left = Candidates(None, logits, vocabulary).top(max(2, vocabulary // 8))
        ids = np.where(left.logits > -np.inf, left.ids, -1) if left.ids is not None else None
        return Candidates(None if ids is None else read_only(ids), read_only(left.logits.copy()), vocabulary)


def scene(vocabulary: int, never: Sequence[int], seed: int, *, few: bool = False) -> Scene:
    """Return a batch of texts in the making over ``vocabulary`` ids; those in ``never`` are out in each row.

    Among the rows are one with equal logits, one with a single candidate, one with very unequal logits, and one
    without any token so far.
    """
    chance = np.random.Generator(np.random.Philox(seed))
    usable = np.setdiff1d(np.arange(vocabulary), np.array(never, np.int64))
    rows = []
    for number in range(_ROWS):
        logits = chance.normal(0.0, 2.0, vocabulary).astype(np.float32)
        if number == 1:
            logits[:] = 0.5
        elif number == 2:
            logits *= np.float32(40.0)
        logits[chance.random(vocabulary) < _OUT] = -np.inf
        logits[usable[0 if number == 3 else number % len(usable)]] = 1.0  # one at least can be chosen
        logits[list(never)] = -np.inf
        if number == 3:
            logits[usable[1:]] = -np.inf
        prompt = () if number == 4 else tuple(chance.choice(usable, int(chance.integers(1, 4))).tolist())
        new_ids = () if number in (4, 5) else tuple(chance.choice(usable[:8], int(chance.integers(1, 9))).tolist())
        rows.append(Row(prompt, new_ids, logits, float(chance.random(dtype=np.float32))))
    return Scene(tuple(rows), few)


def read_only(array: A) -> A:
    """Return ``array`` itself, which refuses to be changed from now on."""
    array.flags.writeable = False
    return array
