"""Batches of whole sequences: every next token of a sequence is predicted at once, lengths are kept together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from genrun.errors import OptionError
from genrun_core.corpus import TokenShards

__all__ = ["IGNORED", "Batches", "split_documents"]

IGNORED = -1  # the target where a shorter sequence is padded: no loss, no metric
_BUCKET = 4  # sequences whose lengths differ by less are shuffled together

Batch = tuple[NDArray[np.int32], NDArray[np.int32]]


def split_documents(count: int, validation: float, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the documents for training and those held out for validation, int64 each, drawn with ``seed``.

    Raises OptionError if a share above 0 holds out nothing, or leaves nothing to train on.
    """
    held_out = round(count * validation)
    if validation and not 0 < held_out < count:
        raise OptionError(
            f"a validation share of {validation} of {count} documents leaves {held_out} for validation and "
            f"{count - held_out} for training; choose another, or validation=0 to train on all of them"
        )
    order = np.random.default_rng([seed, 0]).permutation(count)
    return np.sort(order[held_out:]), np.sort(order[:held_out])


class Batches:
    """The batches of some documents: inputs and targets int32 ``[batch, time]``, targets shifted by one.

    A document of more than ``sequence_length`` predictions is cut; each piece starts with the token that the piece
    before ended with, so that no prediction is lost. Which sequences share a batch, and the order of the batches,
    depend only on the seed and the epoch.
    """

    def __init__(
        self, shards: TokenShards, documents: NDArray[np.int64], *, batch_size: int, sequence_length: int, seed: int
    ) -> None:
        self._ids = shards.ids
        self._batch_size = batch_size
        self._seed = seed
        starts, predicted = shards.offsets[documents], np.diff(shards.offsets)[documents] - 1
        pieces = -(-np.maximum(predicted, 0) // sequence_length)  # [documents], rounded up
        first = np.repeat(np.cumsum(pieces) - pieces, pieces)
        cut = (np.arange(pieces.sum()) - first) * sequence_length  # where each piece begins in its document
        self._starts: NDArray[np.int64] = np.repeat(starts, pieces) + cut
        self._sizes: NDArray[np.int64] = np.minimum(np.repeat(predicted, pieces) - cut, sequence_length)

    @property
    def predictions(self) -> int:
        """How many tokens are predicted in one epoch."""
        return int(self._sizes.sum())

    @property
    def steps(self) -> int:
        """How many batches make one epoch."""
        return -(-len(self._sizes) // self._batch_size)

    def epoch(self, number: int) -> Iterator[Batch]:
        """Yield all batches in the order of epoch ``number`` (from 0)."""
        random = np.random.default_rng([self._seed, 1, number])
        order = random.permutation(len(self._sizes))
        order = order[np.argsort(self._sizes[order] // _BUCKET, kind="stable")]
        for step in random.permutation(self.steps):
            yield self._batch(order[step * self._batch_size : (step + 1) * self._batch_size])

    def in_order(self) -> Iterator[Batch]:
        """Yield all batches, shortest sequences first, the same every time."""
        order = np.argsort(self._sizes, kind="stable")
        for step in range(self.steps):
            yield self._batch(order[step * self._batch_size : (step + 1) * self._batch_size])

    def _batch(self, chosen: NDArray[np.int64]) -> Batch:
        sizes = self._sizes[chosen]
        within = np.arange(sizes.max() + 1)  # [time + 1]
        at = self._starts[chosen][:, None] + np.minimum(within, sizes[:, None])  # [batch, time + 1]
        tokens = self._ids[at].astype(np.int32)
        known = within[1:] <= sizes[:, None]  # [batch, time]
        inputs = np.where(known, tokens[:, :-1], 0).astype(np.int32)
        targets = np.where(known, tokens[:, 1:], IGNORED).astype(np.int32)
        return inputs, targets
