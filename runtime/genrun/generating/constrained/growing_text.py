"""One constrained text on its way: it reads its prompt, its particles grow, and the chosen one is read again."""

from __future__ import annotations

import time
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from genrun.generating.constrained.particles import Particles
from genrun.generating.constrained.product import Plan
from genrun.generating.constrained.proposals import Proposals
from genrun.generating.requests import Request
from genrun.sampling import Chain
from genrun.sampling.chain import States

__all__ = ["GrowingText"]


class GrowingText:
    """One text; what it feeds to the network next is ``tokens``, int64 ``[rows]``.

    ``wants``: what it needs of the logits that follow: ``nothing``, ``proposals`` for its rows, or the ``score`` of
    the token ``scored``.
    """

    def __init__(
        self, request: Request, plan: Plan, chain: Chain, *, particles: int, end_ids: frozenset[int]
    ) -> None:
        self.request, self._row, self._chain, self._end_ids = request, request.row, chain, end_ids
        self.particles = Particles(
            plan,
            request.row.draws,
            particles,
            request.row.max_new_tokens,
            from_nothing=request.row.from_nothing,
        )
        self.chain_states: list[States] = []
        self._read = list(request.row.prompt_ids)
        self._at = 0
        self._growing = not self.particles.finished
        self.tokens = np.array(self._read[:1], np.int64)
        self._row.admitted = time.perf_counter()
        if self.particles.finished:  # the prompt alone meets the constraint, and the model knows no end
            self._choose()

    @property
    def finished(self) -> bool:
        """Whether the text is."""
        return bool(self._row.finish_reason)

    @property
    def wants(self) -> Literal["nothing", "proposals", "score"]:
        """What it needs of the next logits."""
        if self._at < len(self._row.prompt_ids) - 1:
            return "nothing"
        return "proposals" if self._growing else "score"

    @property
    def scored(self) -> int:
        """The token whose log-probability is wanted."""
        return self._row.new_ids[self._at + 1 - len(self._row.prompt_ids)]

    def read(self) -> NDArray[np.int64]:
        """Go on with the next token that it reads; return the row that it goes on with."""
        self._at += 1
        self.tokens = np.array(self._read[self._at : self._at + 1], np.int64)
        if self._growing and self.wants == "proposals" and self._chain.has_states:
            self.chain_states = [self._chain.first(self._row.prompt_ids)]
        return np.zeros(1, np.int64)

    def states(self) -> list[States]:
        """Return the states of the chain, one for each row."""
        if self._chain.has_states and not self.chain_states:
            self.chain_states = [self._chain.first(self._row.prompt_ids)]
        return self.chain_states or [()] * len(self.particles)

    def grow(self, proposals: Proposals) -> NDArray[np.int64] | None:
        """Give the particles their next tokens; return the rows that the new ones go on with.

        None once all are finished: then one is chosen, and read again from the beginning.
        """
        parents, self.tokens = self.particles.advance(proposals)
        if self.particles.finished:
            self._choose()
            return None
        if self._chain.has_states:
            self.chain_states = [
                self._chain.follow(self.chain_states[parent], token)
                for parent, token in zip(parents.tolist(), self.tokens.tolist(), strict=True)
            ]
        return parents

    def score(self, log_probability: float) -> NDArray[np.int64]:
        """Add the log-probability of :attr:`scored`; return the row that it goes on with."""
        self._row.log_probability += log_probability
        if self._at + 2 - len(self._row.prompt_ids) == len(self._row.new_ids):
            self._finish()
        return self.read()

    def _choose(self) -> None:
        self._row.new_ids.extend(self.particles.choose())
        self._row.effective_particles = self.particles.effective
        self._growing, self._at = False, 0
        self._read = [*self._row.prompt_ids, *self._row.new_ids[:-1]]
        self.tokens = np.array(self._read[:1], np.int64)
        if not self._row.new_ids:
            self._finish()

    def _finish(self) -> None:
        ended = bool(self._row.new_ids) and self._row.new_ids[-1] in self._end_ids
        self._row.finish_reason = "end" if ended else "stop"
        self._row.finished = time.perf_counter()
