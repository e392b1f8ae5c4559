"""The gate of a mixture: the file's probabilities must be those of its network and its counts, mixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ExportError
from genrun.generating.stepping.session import StepSession
from genrun.sampling import log_normalizers
from genrun_core.counting import CountingModel, Mixture
from genrun_export.greedy import BATCH_SIZES, step_by_step

__all__ = ["MIXTURE_TOLERANCE", "MixtureFigures", "check_mixture"]

MIXTURE_TOLERANCE = 1e-4
_SWEEP_BATCH = 64
_SWEEP_LENGTH = 16
_SWEPT = 2**28  # probabilities that are compared where tokens are fed once, so that a gate takes seconds


@dataclass(frozen=True, slots=True)
class MixtureFigures:
    """What the gate measured: the largest difference of log-probabilities, and of how many tokens each was fed."""

    largest_difference: float
    tolerance: float
    fed_ids: int

    def __str__(self) -> str:
        """Return the figures in words."""
        return (
            f"same mixture of network and counts after each of {self.fed_ids:,} tokens; largest difference of "
            f"logarithms {self.largest_difference:.1e} (allowed {self.tolerance:.0e})"
        )


def check_mixture(
    session: StepSession,
    network: StepSession,
    model: CountingModel,
    mixture: Mixture,
    sequences: Sequence[tuple[int, ...]],
) -> MixtureFigures:
    """Compare the step of ``session`` with the mixture of ``model`` and the step of ``network`` alone.

    Compared are the log-probabilities of the whole vocabulary at every token of ``sequences``, which begin documents,
    alone and in a batch; and of random texts in which each id is fed once, or as many ids as fit into seconds. Raises
    ExportError if they differ by more than MIXTURE_TOLERANCE anywhere.
    """
    order = np.random.default_rng(0).permutation(model.vocabulary)[: max(_SWEPT // model.vocabulary, 256)]
    each_once = [tuple(order[i : i + _SWEEP_LENGTH].tolist()) for i in range(0, len(order), _SWEEP_LENGTH)]
    expected = _Expected(network, model, mixture)
    largest = 0.0
    for texts, where, sizes in (
        (sequences, "on documents and texts", BATCH_SIZES),
        (each_once, "where tokens are fed once", (_SWEEP_BATCH,)),
    ):
        for size in sizes:
            found = _largest_difference(session, expected, texts, size)
            if not found <= MIXTURE_TOLERANCE:  # also when it is not a number
                raise ExportError(
                    f"refused: log-probabilities of the file and of the mixture differ by {found:.2g} {where}, more "
                    f"than {MIXTURE_TOLERANCE:g}"
                )
            largest = max(largest, found)
    return MixtureFigures(largest, MIXTURE_TOLERANCE, len(order))


@dataclass(frozen=True, slots=True)
class _Expected:
    """The mixture in double precision, from the logits of the network's step."""

    network: StepSession
    model: CountingModel
    mixture: Mixture

    def after(self, tokens: tuple[int, ...], logits: NDArray[np.float32]) -> NDArray[Any]:
        """Return the log-probabilities of all tokens after the first ones of a document, float64 ``[vocabulary]``."""
        logs = logits.astype(np.float64) - log_normalizers(logits[None])[0]
        last = tokens[-self.model.order :]  # a context and one token more
        contexts = self.model.contexts(np.array(last, np.int64), from_beginning=len(last) == len(tokens))
        return self.mixture.mix(logs, self.model.counted_after(contexts))


def _largest_difference(
    session: StepSession, expected: _Expected, sequences: Sequence[tuple[int, ...]], batch_size: int
) -> float:
    largest = 0.0
    for first in range(0, len(sequences), batch_size):
        group = sequences[first : first + batch_size]
        both = zip(step_by_step(session, group), step_by_step(expected.network, group), strict=True)
        for position, (mixed, alone) in enumerate(both):
            logs = mixed.astype(np.float64) - log_normalizers(mixed)[:, None]
            for row, sequence in enumerate(group):
                if position < len(sequence):
                    wanted = expected.after(sequence[: position + 1], alone[row])
                    # np.maximum keeps a difference that is not a number, which max() may lose
                    largest = np.maximum(largest, np.abs(logs[row] - wanted).max())
    return float(largest)
