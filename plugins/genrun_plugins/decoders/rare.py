"""The stage ``rare``: rare words get what a model gives to words that it does not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.sampling import Candidates
from genrun_plugins._checks import check_number, check_whole

__all__ = ["Rare"]


@dataclass(frozen=True, slots=True)
class Rare:
    """Adds ``bias`` to the logits of the tokens from ``from_id`` on; a vocabulary has its rarest words last.

    A text never has an unknown word (``<unk>``), although people write such words. Without this stage, the share of
    probability that a model gives to them goes to all other tokens alike: frequent words and the end of the text
    become more likely than they are. A training writes this stage into the decoder of its model where that pays.
    ``from_id``: an id, 0 or more. ``bias``: any number.

    >>> candidates = Candidates(None, np.zeros((1, 4), np.float32), 4)
    >>> Rare(2, 0.5).apply(candidates, [None], np.zeros(1, np.float32)).logits.tolist()
    [[0.0, 0.0, 0.5, 0.5]]
    """

    from_id: int
    bias: float

    def __post_init__(self) -> None:
        check_whole("from_id", self.from_id, 0)
        check_number("bias", self.bias)

    def apply(self, candidates: Candidates, states: Sequence[None], draws: NDArray[np.float32]) -> Candidates:
        """Return the same candidates, in the same order."""
        if candidates.ids is None:
            logits = candidates.logits.copy()
            logits[:, self.from_id :] += np.float32(self.bias)
            return candidates.with_logits(logits)
        return candidates.with_logits(candidates.logits + np.float32(self.bias) * (candidates.ids >= self.from_id))
