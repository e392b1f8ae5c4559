"""A sample of the documents of a run, and the perplexity that a model file has on it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ModelFileError
from genrun.scoring.scores import log_softmax_at
from genrun_core.recipes.sections import TrainingSettings
from genrun_core.runs.token_shards import TokenShards
from genrun_core.training.batching.batches import IGNORED, Batch
from genrun_core.training.prepared import batches_of

__all__ = ["Sample", "Steps", "draw_sample"]

_BATCH_SIZE = 32
_TOKENS = 8192
_FEWEST_TOKENS = 1024
_LOGITS = 2**28  # a large vocabulary makes the sample smaller, so that a measurement takes seconds


class Steps(Protocol):
    """What takes tokens: a :class:`~genrun.generating.stepping.session.StepSession`, or what looks into one."""

    def initial_states(self, batch: int) -> list[NDArray[Any]]:
        """Return the states before the first token, ``[batch, …]``."""

    def step(
        self, tokens: NDArray[np.int64], states: Sequence[NDArray[Any]]
    ) -> tuple[NDArray[np.float32], list[NDArray[Any]]]:
        """Feed int64 ``[batch]`` → logits float32 ``[batch, vocabulary]`` and the next states."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Documents, as batches of sequences in which ``tokens`` are predicted.

    ``held_out``: they were held out for validation; otherwise they are some of those that were trained on.
    """

    batches: tuple[Batch, ...]
    documents: int
    tokens: int
    held_out: bool
    carries: bool  # whether each batch goes on where the one before ended

    def perplexity(self, steps: Steps) -> float:
        """Return exp of the mean negative log-probability of a token; infinite where logits are not numbers."""
        total = 0.0
        states: list[NDArray[Any]] = []
        try:
            for batch in self.batches:
                if not self.carries or not states:
                    states = steps.initial_states(len(batch.inputs))
                fed_until = _last(batch.targets)
                for place, (tokens, targets) in enumerate(
                    zip(batch.inputs.T, batch.targets.T, strict=True)
                ):  # [batch]
                    going = np.flatnonzero(place <= fed_until)  # padding is not fed: no text has it
                    fed = tokens[going].astype(np.int64)
                    logits, left = steps.step(fed, [state[going] for state in states])
                    for state, after in zip(states, left, strict=True):
                        state[going] = after
                    asked = targets[going] != IGNORED  # labels are fed, but not predicted
                    with np.errstate(invalid="ignore"):  # infinite logits
                        total += float(log_softmax_at(logits[asked], targets[going][asked].astype(np.int64)).sum())
        except ModelFileError:
            return math.inf
        mean = -total / self.tokens
        return math.exp(mean) if mean < 700 else math.inf  # also where it is not a number


def draw_sample(shards: TokenShards, settings: TrainingSettings, vocabulary: int) -> Sample:
    """Return the sample of a run: some of the documents that it held out, or else of those that it was trained on.

    A running text is read from the beginning of that part, with the state carried as in training.
    """
    limit = max(_FEWEST_TOKENS, min(_TOKENS, _LOGITS // vocabulary))
    running = settings.running_text
    held_out = shards.held_out
    documents = held_out if len(held_out) else shards.trained_on
    if not running:
        documents = np.random.default_rng(0).permutation(documents)
    predicted = np.cumsum(np.maximum(np.diff(shards.offsets)[documents] - 1, 0))
    documents = np.sort(documents[: int(np.searchsorted(predicted, limit)) + 1])
    batches = batches_of(shards, documents, dataclasses.replace(settings, batch_size=_BATCH_SIZE))
    chosen = _about(list(batches.in_order()), limit, carries=batches.carries)
    return Sample(tuple(chosen), len(documents), _predicted(chosen), bool(len(held_out)), batches.carries)


def _about(batches: list[Batch], limit: int, *, carries: bool) -> list[Batch]:
    """Return batches of about ``limit`` tokens together: every nth batch, or with ``carries`` the first ones."""
    if not carries:
        return batches[:: max(1, _predicted(batches) // limit)]
    before = accumulate((_predicted([batch]) for batch in batches), initial=0)
    return [batch for batch, _ in takewhile(lambda pair: pair[1] < limit, zip(batches, before, strict=False))]


def _last(targets: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the last place of each row that is predicted, int64 ``[batch]``; -1 where none is."""
    real = targets != IGNORED
    return np.where(real.any(axis=1), real.shape[1] - 1 - real[:, ::-1].argmax(axis=1), -1)


def _predicted(batches: Sequence[Batch]) -> int:
    return sum(int((batch.targets != IGNORED).sum()) for batch in batches)
