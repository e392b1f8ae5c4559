"""The stage ``max-copied``: no text copies more than n words in a row from the training text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Vocabulary
from genrun.errors import OptionError
from genrun.sampling import Candidates
from genrun_plugins._checks import check_whole

__all__ = ["MaxCopied"]


@dataclass(frozen=True, slots=True)
class MaxCopied:
    """Leaves out each word with which the text would have ``n`` + 1 words in a row from the training text.

    Words are compared without marks and case; the prompt's words count. Marks and the end of the text always stay,
    so a text always comes to an end, if this stage comes before those that narrow. ``n``: usually 4 to 7, as the
    model file has it. A few other words are left out as well: the model file states this rate. Raises OptionError for
    a model file without originality, and for subwords and characters.
    """

    n: int = 4

    def __post_init__(self) -> None:
        check_whole("n", self.n, 1)

    def bind(self, vocabulary: Vocabulary) -> _BoundMaxCopied:
        """Return the stage for a model."""
        if vocabulary.training_runs is None:
            raise OptionError("max-copied needs a model file that was exported with originality; export it again")
        from genrun.loading.originality.steering import ends_of

        return _BoundMaxCopied(ends_of(vocabulary.training_runs, self.n))


@dataclass(frozen=True, slots=True)
class _BoundMaxCopied:
    ends: Any

    def first(self, prompt: Sequence[int]) -> Any:
        return self.ends.first(prompt)

    def follow(self, state: Any, token: int) -> Any:
        return self.ends.follow(state, token)

    def apply(self, candidates: Candidates, states: Sequence[Any], draws: NDArray[np.float32]) -> Candidates:
        return candidates.without(*self.ends.banned(states))
