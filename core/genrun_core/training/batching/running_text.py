"""Batches of a running text: the documents are one text, cut into rows that go on from batch to batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from genrun_core.runs.token_shards import TokenShards
from genrun_core.training.batching.batches import IGNORED, Batch
from genrun_core.training.batching.noise import EpochNoise

__all__ = ["RunningBatches"]


class RunningBatches:
    """The batches of one text in ``batch_size`` rows, each a stretch of it that is read from left to right.

    A batch has up to ``sequence_length`` predictions of every row. Where the first batch ends, and with it all
    others, is drawn for each epoch, so that the state is not always cut off in the same places. The last row may be
    shorter: nothing is lost. ``noise``: what an epoch changes in the tokens.
    """

    carries = True

    def __init__(
        self,
        shards: TokenShards,
        documents: NDArray[np.int64],
        *,
        batch_size: int,
        sequence_length: int,
        seed: int,
        noise: EpochNoise = EpochNoise(),  # noqa: B008 - immutable
    ) -> None:
        # A stretch of documents, or a few: the ids between are contiguous, so this is a view and costs no memory.
        first, last = (int(documents[0]), int(documents[-1]) + 1) if len(documents) else (0, 0)
        self._ids = shards.ids[shards.offsets[first] : shards.offsets[last]]
        self._seed = seed
        self._noise = noise
        self._sequence_length = sequence_length
        self._rows = min(batch_size, max(self.predictions, 1))
        self._width = -(-self.predictions // self._rows)  # predictions in a row, rounded up

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._rows if self.predictions else 0

    @property
    def predictions(self) -> int:
        """How many tokens are predicted in one epoch: all but the first."""
        return max(len(self._ids) - 1, 0)

    def steps(self, epoch: int = 0) -> int:
        """Return how many batches an epoch has."""
        if not self.predictions:
            return 0
        rest = self._width - self._shift(epoch)  # after the first batch
        return 1 + max(0, -(-rest // self._sequence_length))

    def epoch(self, number: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch from left to right."""
        # The whole text at once, so that a token is the same target and input.
        drawn = np.random.default_rng([self._seed, 4, number])
        predicted, read = self._noise.shown(np.asarray(self._ids), drawn)
        return self._between(self._cuts(number), first, predicted, read)

    def in_order(self) -> Iterator[Batch]:
        """Yield all batches from left to right, the same every time."""
        cuts = [*range(0, self._width, self._sequence_length), self._width]
        return self._between(cuts, 0, self._ids, self._ids)

    def _cuts(self, epoch: int) -> list[int]:
        """Return where the batches begin and end within a row."""
        shift = self._shift(epoch)
        return [0, *range(shift, self._width, self._sequence_length), self._width] if self._width else [0]

    def _shift(self, epoch: int) -> int:
        """Return where the first batch ends."""
        return int(np.random.default_rng([self._seed, 1, epoch]).integers(1, self._sequence_length + 1))

    def _between(
        self, cuts: list[int], first: int, ids: NDArray[np.int32], read: NDArray[np.int32]
    ) -> Iterator[Batch]:
        starts = np.arange(self._rows)[:, None] * self._width
        for begin, end in zip(cuts[first:-1], cuts[first + 1 :], strict=True):
            at = starts + np.arange(begin, end + 1)  # [rows, time + 1]
            within = np.minimum(at, self.predictions)
            targets = np.where(at[:, 1:] <= self.predictions, ids[within[:, 1:]], IGNORED).astype(np.int32)
            yield Batch(read[within[:, :-1]].astype(np.int32), targets)
