"""Batches of whole sequences: every next token of a sequence is predicted at once, lengths are kept together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from genrun_core.runs.token_shards import TokenShards
from genrun_core.training.batching.noise import EpochNoise

__all__ = ["IGNORED", "Batch", "Batches", "DocumentBatches"]

IGNORED = -1  # the target where a shorter sequence is padded: no loss, no metric
_BUCKET = 4  # sequences whose lengths differ by less are shuffled together


class Batch(NamedTuple):
    """What one step learns from: int32 ``[batch, time]`` both, targets shifted by one."""

    inputs: NDArray[np.int32]
    targets: NDArray[np.int32]


class Batches(Protocol):
    """An order of batches that depends only on the seed and the epoch, so that it can be gone into at any step."""

    def __len__(self) -> int:
        """Return the number of sequences, or of rows."""

    @property
    def predictions(self) -> int:
        """How many tokens are predicted in one epoch."""

    @property
    def carries(self) -> bool:
        """Whether a row goes on where it ended in the batch before, so that the state is carried."""

    def steps(self, epoch: int) -> int:
        """Return how many batches epoch ``epoch`` (from 0) has."""

    def epoch(self, number: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, from step ``first`` on."""

    def in_order(self) -> Iterator[Batch]:
        """Yield all batches for a validation, the same every time."""


class DocumentBatches:
    """The batches of documents that have nothing to do with each other.

    A document of more than ``sequence_length`` predictions is cut; each piece starts with the token that the piece
    before ended with, so that no prediction is lost. The labels of a document stand before each piece, and are not
    predicted. ``noise``: what an epoch changes in the tokens; ``label_dropout``: the share of labels that it hides.
    """

    carries = False

    def __init__(
        self,
        shards: TokenShards,
        documents: NDArray[np.int64],
        *,
        batch_size: int,
        sequence_length: int,
        seed: int,
        noise: EpochNoise = EpochNoise(),  # noqa: B008 - immutable
        label_dropout: float = 0.0,
    ) -> None:
        self._ids = shards.ids
        self._noise = noise
        self._batch_size = batch_size
        self._seed = seed
        starts, predicted = shards.offsets[documents], np.diff(shards.offsets)[documents] - 1
        pieces = -(-np.maximum(predicted, 0) // sequence_length)  # [documents], rounded up
        first = np.repeat(np.cumsum(pieces) - pieces, pieces)
        cut = (np.arange(pieces.sum()) - first) * sequence_length  # where each piece begins in its document
        self._starts: NDArray[np.int64] = np.repeat(starts, pieces) + cut
        self._labels = np.repeat(shards.labels[documents], pieces, axis=0)  # [pieces, names]
        self._no_labels = shards.no_labels
        self._label_dropout = label_dropout
        self._sizes: NDArray[np.int64] = np.minimum(np.repeat(predicted, pieces) - cut, sequence_length)

    def __len__(self) -> int:
        """Return the number of sequences."""
        return len(self._sizes)

    @property
    def predictions(self) -> int:
        """How many tokens are predicted in one epoch."""
        return int(self._sizes.sum())

    def steps(self, epoch: int = 0) -> int:
        """Return how many batches an epoch has, every one the same."""
        return -(-len(self._sizes) // self._batch_size)

    def epoch(self, number: int, first: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, shuffled: sequences of about one length share a batch."""
        random = np.random.default_rng([self._seed, 1, number])
        order = random.permutation(len(self._sizes))
        order = order[np.argsort(self._sizes[order] // _BUCKET, kind="stable")]
        for at, step in enumerate(random.permutation(self.steps())[first:].tolist(), first):
            drawn = np.random.default_rng([self._seed, 4, number, at])
            yield self._batch(order[step * self._batch_size : (step + 1) * self._batch_size], drawn)

    def in_order(self) -> Iterator[Batch]:
        """Yield all batches, shortest sequences first, the same every time."""
        order = np.argsort(self._sizes, kind="stable")
        for step in range(self.steps()):
            yield self._batch(order[step * self._batch_size : (step + 1) * self._batch_size])

    def _batch(self, chosen: NDArray[np.int64], drawn: np.random.Generator | None = None) -> Batch:
        sizes = self._sizes[chosen]
        within = np.arange(sizes.max() + 1)  # [time + 1]
        at = self._starts[chosen][:, None] + np.minimum(within, sizes[:, None])  # [batch, time + 1]
        tokens = self._ids[at].astype(np.int32)
        predicted, read = (tokens, tokens) if drawn is None else self._noise.shown(tokens, drawn)
        known = within[1:] <= sizes[:, None]  # [batch, time]
        inputs = np.where(known, read[:, :-1], 0).astype(np.int32)
        targets = np.where(known, predicted[:, 1:], IGNORED).astype(np.int32)
        return self._after_labels(Batch(inputs, targets), self._labels[chosen], drawn)

    def _after_labels(self, batch: Batch, labels: NDArray[np.int32], drawn: np.random.Generator | None) -> Batch:
        """Return the batch with its ``labels`` before each row, some hidden if ``drawn``: all of a row, or one."""
        if not labels.shape[1]:
            return batch
        if drawn is not None and self._label_dropout:
            hidden = drawn.random((len(labels), 1)) < self._label_dropout
            if labels.shape[1] > 1:
                hidden = hidden | (drawn.random(labels.shape) < self._label_dropout)
            labels = np.where(hidden, self._no_labels, labels)
        ignored = np.full(labels.shape, IGNORED, np.int32)
        return Batch(np.hstack([labels, batch.inputs]), np.hstack([ignored, batch.targets]))
