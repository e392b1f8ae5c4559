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

    def some(self, predictions: int) -> Documents:
        """Return documents with about this many predictions at most, from everywhere; of a running text the first."""
        sizes = np.maximum(np.diff(self.shards.offsets)[self.numbers] - 1, 0)
        every = max(1, -(-int(sizes.sum()) // predictions))
        if self.running_text:
            return Documents(self.shards, self.numbers[np.cumsum(sizes) - sizes < predictions], True)
        return Documents(self.shards, self.numbers[::every], False)

    def count(self, tokenizer: Tokenizer, order: int) -> CountingModel:
        """Return the model of these documents, with at most WIDTHS followers of each context."""
        boundary = tokenizer.special("start") is None
        model = count_ngrams(
            *self.joined(),
            vocabulary=len(tokenizer),
            order=order,
            boundary=boundary,
            unknown=tokenizer.special("unk"),
        )
        return prune(model, longest_row=WIDTHS[: order - 1])

    def predicted(self) -> NDArray[np.int32]:
        """Return the tokens that are predicted, in order: all but the first of each document."""
        ids, offsets = self.joined()
        is_first = np.zeros(len(ids), bool)
        is_first[offsets[:-1][np.diff(offsets) > 0]] = True
        return ids[~is_first]
