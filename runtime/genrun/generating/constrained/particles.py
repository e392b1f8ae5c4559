"""Particles of one text: many beginnings that grow together, weighted by how likely the constraint makes them.

Sequential Monte Carlo (Doucet, de Freitas, Gordon, "Sequential Monte Carlo Methods in Practice", 2001): each particle
draws its next token from the allowed ones, and its weight is multiplied by the probability of all that is allowed.
Tokens after which the end is likelier are preferred, and the weight is divided by that preference, so that particles
do not put off what is hard (a twisted proposal: Whiteley and Lee, "Twisted particle filters", 2014). Where few
particles have most of the weight, they are resampled by it (systematic resampling: Kitagawa, 1996). Particles with
the same beginning share one row of the network, and spread their draws evenly.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from genrun.errors import OptionError
from genrun.generating.constrained.product import Plan
from genrun.generating.constrained.proposals import Allowed, Proposals

__all__ = ["Particles"]

_RESAMPLED_BELOW = 0.5  # of the particles


class Particles:
    """The particles of one text; ``count`` of them begin after the prompt.

    ``draws`` yields uniform numbers. ``limit``: the most new tokens. ``from_nothing``: there is no word yet, so a
    text does not end before its first token unless the constraint wants that. ``effective`` is the smallest
    effective sample size so far: (Σ w)² / Σ w², from 1 to ``count``. A *row* is a beginning that particles share.
    """

    def __init__(
        self, plan: Plan, draws: Iterator[float], count: int, limit: int, *, from_nothing: bool = False
    ) -> None:
        self._from_nothing = from_nothing
        self.effective = float(count)
        self._plan, self._draws, self._left = plan, draws, limit
        self._states = np.zeros(1, np.int64)  # [rows]
        self._rows = np.zeros(count, np.int64)  # [particles], -1 for finished ones
        self._log_weights = np.zeros(count)
        self._history: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []  # for each step: parents, tokens
        self._ends = np.full((count, 3), -1)  # of finished particles: step, row, last token
        self._finish(self._states[self._rows], np.full(count, -1))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self._states)

    @property
    def finished(self) -> bool:
        """Whether all particles are."""
        return not (self._rows >= 0).any()

    def allowed(self) -> Allowed:
        """Return what each row may choose."""
        gains = self._plan.gains(self._states, self._left)
        if self._from_nothing and not self._history:
            others = gains.copy()
            others[:, self._plan.end] = 0
            gains = others if others.any() else gains
        return Allowed(self._plan.classes, gains)

    def draw(self, count: int) -> list[float]:
        """Return the next ``count`` draws of the text."""
        return [next(self._draws) for _ in range(count)]

    def advance(self, proposals: Proposals) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give each particle its next token; return the rows that follow.

        ``proposals``: those of the rows. Returns for each new row the number of the row that it goes on with, and
        its token, both int64 ``[new rows]``; none once all particles are finished.
        """
        unfinished = self._rows >= 0
        self._log_weights[unfinished] += proposals.log_mass[self._rows[unfinished]]
        self._resample()
        going = (self._rows >= 0).nonzero()[0]
        rows = self._rows[going]
        counts = np.bincount(rows, minlength=len(self))
        shifts = np.array(self.draw(len(self)))
        order = np.argsort(rows, kind="stable")
        going, rows = going[order], rows[order]
        ranks = np.arange(len(rows)) - (np.cumsum(counts) - counts)[rows]
        tokens = proposals.columns(rows, (ranks + shifts[rows]) / counts[rows])
        states = self._plan.table[self._states[rows], self._plan.classes[tokens]]
        every = np.full(len(self._rows), -1)
        every[going] = tokens
        all_states = np.full(len(self._rows), -1)
        all_states[going] = states
        self._left -= 1
        self._finish(all_states, every)
        return self._grown(all_states, every)

    def _finish(self, states: NDArray[np.int64], tokens: NDArray[np.int64]) -> None:
        """Take the particles out that have come to a final state."""
        ended = (self._rows >= 0) & self._plan.final[states]
        self._ends[ended, 0], self._ends[ended, 1] = len(self._history), self._rows[ended]
        self._ends[ended, 2] = tokens[ended]
        self._rows[ended] = -1

    def _grown(
        self, states: NDArray[np.int64], tokens: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        going = (self._rows >= 0).nonzero()[0]
        size = len(self._plan.classes)
        pairs, first, own = np.unique(
            self._rows[going] * size + tokens[going], return_index=True, return_inverse=True
        )
        self._rows[going] = own.reshape(-1)
        self._states = states[going][first]
        step = pairs // size, pairs % size
        self._history.append(step)
        return step

    def weights(self) -> NDArray[np.float64]:
        """Return the probability with which each particle becomes the text, float64 ``[particles]``."""
        highest = self._log_weights.max()
        if highest == -np.inf:
            raise OptionError("the model gives no probability to any text that meets the constraint")
        weights: NDArray[np.float64] = np.exp(self._log_weights - highest)
        weights /= weights.sum()
        return weights

    def _resample(self) -> None:
        weights = self.weights()
        count = len(weights)
        effective = 1 / float(np.square(weights).sum())
        self.effective = min(self.effective, effective)
        if effective >= _RESAMPLED_BELOW * count and (weights > 0).all():
            return
        points = (np.arange(count) + self.draw(1)[0]) / count
        cumulative = np.cumsum(weights)
        chosen = np.searchsorted(cumulative, points * cumulative[-1], side="right")
        self._rows, self._ends = self._rows[chosen], self._ends[chosen]
        self._log_weights = np.zeros(count)

    def choose(self) -> list[int]:
        """Return the new ids of one particle, drawn by its weight, after all are finished."""
        cumulative = np.cumsum(self.weights())
        return self.ids(int(np.searchsorted(cumulative, self.draw(1)[0] * cumulative[-1], side="right")))

    def ids(self, particle: int) -> list[int]:
        """Return the new ids of a finished particle."""
        step, row, token = self._ends[particle].tolist()
        ids = [] if token < 0 else [token]
        for parents, tokens in reversed(self._history[:step]):
            ids.append(int(tokens[row]))
            row = int(parents[row])
        return ids[::-1]
