"""The stage ``no-copied-line``: no text ends as a whole document of the training text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Vocabulary
from genrun.errors import OptionError
from genrun.loading.originality.lines import Begun, Lines, lines_of
from genrun.sampling import Candidates
from genrun_plugins._checks import check_probability

__all__ = ["NoCopiedLine"]


@dataclass(frozen=True, slots=True)
class NoCopiedLine:
    """Leaves out the end of a text while the text, prompt included, is a whole document of the training text.

    Words are compared without marks and case. The text goes on and ends later. The end stays where its probability is
    above ``certain``, from 0 to 1: a model that knows a document by heart has no good word to go on with. A text that
    reaches its longest length may be such a document too. About one other text in a thousand goes on as well: the
    documents are known by their hashes. Let this stage come before those that narrow. Raises OptionError for a model
    file without originality.
    """

    certain: float = 0.8

    def __post_init__(self) -> None:
        check_probability("certain", self.certain)

    def bind(self, vocabulary: Vocabulary) -> _BoundNoCopiedLine:
        """Return the stage for a model."""
        runs = vocabulary.training_runs
        if runs is None:
            raise OptionError("no-copied-line needs a model file that was exported with originality; export it again")
        return _BoundNoCopiedLine(self.certain, lines_of(runs), np.array(vocabulary.end_ids, np.int64))


@dataclass(frozen=True, slots=True)
class _BoundNoCopiedLine:
    """The stage for a model; a state is a text as far as it is written."""

    certain: float
    lines: Lines
    end_ids: NDArray[np.int64]

    def first(self, prompt: Sequence[int]) -> Begun:
        return self.lines.first(prompt)

    def follow(self, state: Begun, token: int) -> Begun:
        return self.lines.follow(state, token)

    def apply(self, candidates: Candidates, states: Sequence[Begun], draws: NDArray[np.float32]) -> Candidates:
        lines = [row for row, state in enumerate(states) if self.lines.is_line(state)]
        uncertain = [row for row in lines if self._end_probability(candidates, row) <= self.certain]
        rows = np.repeat(np.array(uncertain, np.intp), len(self.end_ids))
        return candidates.without(rows, np.tile(self.end_ids, len(uncertain)))

    def _end_probability(self, candidates: Candidates, row: int) -> float:
        """Return how likely it is that the text in ``row`` ends now."""
        ids = None if candidates.ids is None else candidates.ids[[row]]
        own = Candidates(ids, candidates.logits[[row]], candidates.vocabulary)
        _, columns, _ = own.columns_of(np.zeros(len(self.end_ids), np.intp), self.end_ids)
        return float(own.probabilities()[0, columns].sum())
