"""An n-gram model of some documents of a corpus, as a model file keeps it, and how well it predicts others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.tokenizer import Tokenizer
from genrun_core.counting.counter import count_ngrams
from genrun_core.counting.model import CountingModel
from genrun_core.counting.pruning import WIDTHS, prune
from genrun_core.runs.token_shards import TokenShards

__all__ = ["Documents"]


@dataclass(frozen=True, slots=True)
class Documents:
    """Some documents of a corpus, int64 ``[documents]``; with ``running_text`` they are one text."""

    shards: TokenShards
    numbers: NDArray[np.int64]
    running_text: bool

    def joined(self) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the ids, one document after another, and the offsets of the documents in them."""
        starts, lengths = self.shards.offsets[self.numbers], np.diff(self.shards.offsets)[self.numbers]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return self.shards.ids[places], offsets[[0, -1]] if self.running_text else offsets

    def count(self, tokenizer: Tokenizer, order: int) -> CountingModel:
        """Return the model of these documents, with at most WIDTHS followers of each context."""
        boundary = tokenizer.special("start") is None
        model = count_ngrams(*self.joined(), vocabulary=len(tokenizer), order=order, boundary=boundary)
        return prune(model, longest_row=WIDTHS[: order - 1])

    def loss(self, model: CountingModel) -> float:
        """Return the mean negative log-probability of a token, in nats; not a number where nothing is predicted."""
        logs = model.score(*self.joined())
        return float(-logs.mean()) if len(logs) else float("nan")
