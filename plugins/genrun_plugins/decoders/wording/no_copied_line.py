"""The stage ``no-copied-line``: no text ends as a whole document of the training text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Vocabulary
from genrun.errors import OptionError
from genrun.loading.originality import TrainingRuns
from genrun.loading.originality.hashing import extended
from genrun.sampling import Candidates
from genrun_plugins._checks import check_probability

__all__ = ["NoCopiedLine"]

_OTHER = -1  # the state of a text that no document can be: a special token is between its words


@dataclass(frozen=True, slots=True)
class NoCopiedLine:
    """Leaves out the end of a text while the text, prompt included, is a whole document of the training text.

    Words are compared without marks and case. The text goes on and ends later. The end stays where its probability is
    above ``certain``, from 0 to 1: a model that knows a document by heart has no good word to go on with. A text that
    reaches its longest length may be such a document too. About one other text in a thousand goes on as well: the
    documents are known by their hashes. Let this stage come before those that narrow. Raises OptionError for a model
    file without originality, and for subwords and characters.
    """

    certain: float = 0.8

    def __post_init__(self) -> None:
        check_probability("certain", self.certain)

    def bind(self, vocabulary: Vocabulary) -> _BoundNoCopiedLine:
        """Return the stage for a model."""
        runs = vocabulary.training_runs
        if runs is None:
            raise OptionError("no-copied-line needs a model file that was exported with originality; export it again")
        if runs.tokenizer.kind != "word":
            raise OptionError("no-copied-line needs a model whose tokens are words")
        return _BoundNoCopiedLine(self.certain, runs, tuple(vocabulary.end_ids))


@dataclass(frozen=True, slots=True)
class _BoundNoCopiedLine:
    """A state is the polynomial of a text's words, 0 for a text without words."""

    certain: float
    runs: TrainingRuns
    end_ids: tuple[int, ...]

    def first(self, prompt: Sequence[int]) -> int:
        return reduce(self.follow, prompt, 0)

    def follow(self, state: int, token: int) -> int:
        words = self.runs.words_of_token(token)
        if words is None:
            return _OTHER if state else 0
        if state == _OTHER:
            return state
        for word in words:
            state = extended(state, word)
        return state

    def apply(self, candidates: Candidates, states: Sequence[int], draws: NDArray[np.float32]) -> Candidates:
        lines = [row for row, state in enumerate(states) if state > 0 and self.runs.has_line(state)]
        uncertain = [row for row in lines if self._end_probability(candidates, row) <= self.certain]
        rows = np.repeat(np.array(uncertain, np.intp), len(self.end_ids))
        return candidates.without(rows, np.tile(np.array(self.end_ids, np.int64), len(uncertain)))

    def _end_probability(self, candidates: Candidates, row: int) -> float:
        """Return how likely it is that the text in ``row`` ends now."""
        ids = None if candidates.ids is None else candidates.ids[[row]]
        own = Candidates(ids, candidates.logits[[row]], candidates.vocabulary)
        ends = np.array(self.end_ids, np.int64)
        _, columns, _ = own.columns_of(np.zeros(len(ends), np.intp), ends)
        return float(own.probabilities()[0, columns].sum())
