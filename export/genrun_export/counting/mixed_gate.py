"""The gate of a mixture: the file's probabilities must be those of its network and its counts, mixed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ExportError
from genrun.generating.stepping.session import StepSession
from genrun.sampling import log_normalizers
from genrun_core.counting.mixed import Mixed
from genrun_export.counting.differences import largest_difference
from genrun_export.gate.greedy import BATCH_SIZES

__all__ = ["MIXTURE_TOLERANCE", "MixtureFigures", "check_mixture"]

MIXTURE_TOLERANCE = 1e-4
_SWEEP_BATCH = 64
_SWEEP_LENGTH = 16
_FEW = 50  # words that a long text is of, so that they come again
_SWEPT = 2**28  # probabilities that are compared where tokens are fed once, so that a gate takes seconds


@dataclass(frozen=True, slots=True)
class MixtureFigures:
    """What the gate measured: the largest difference of log-probabilities, and of how many tokens each was fed."""

    largest_difference: float
    tolerance: float
    fed_ids: int

    def to_json(self) -> dict[str, Any]:
        """Return the figures as a JSON-ready dictionary."""
        return asdict(self)

    def __str__(self) -> str:
        """Return the figures in words."""
        return (
            f"same mixture of network and counts after each of {self.fed_ids:,} tokens; largest difference of "
            f"logarithms {self.largest_difference:.1e} (allowed {self.tolerance:.0e})"
        )


def check_mixture(
    session: StepSession, network: StepSession, mixed: Mixed, sequences: Sequence[tuple[int, ...]]
) -> MixtureFigures:
    """Compare the step of ``session`` with the step of ``network`` alone and what is ``mixed`` with it.

    Compared are the log-probabilities of the whole vocabulary at every token of ``sequences``, which begin documents,
    alone and in a batch; of random texts in which each id is fed once, or as many ids as fit into seconds; and, where
    recent words count, of a text of a few words that is longer than what is recent. Raises ExportError if they differ
    by more than MIXTURE_TOLERANCE anywhere.
    """
    vocabulary = mixed.model.vocabulary
    random = np.random.default_rng(0)
    order = random.permutation(vocabulary)[: max(_SWEPT // vocabulary, 256)]
    each_once = [tuple(order[i : i + _SWEEP_LENGTH].tolist()) for i in range(0, len(order), _SWEEP_LENGTH)]

    long = 0 if mixed.recent is None else mixed.recent.reach + _SWEEP_LENGTH
    again = [tuple(random.choice(order[:_FEW], long).tolist())]

    def differences(tokens: tuple[int, ...], logits: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
        found, alone = (row.astype(np.float64) - log_normalizers(row[None])[0] for row in logits)
        return np.asarray(found - mixed.mix_next(alone, tokens), np.float64)

    largest = 0.0
    for texts, where, sizes in (
        (sequences, "on documents and texts", BATCH_SIZES),
        (each_once, "where tokens are fed once", (_SWEEP_BATCH,)),
        (again, "where tokens come again", (1,)),
    ):
        for size in sizes:
            found = largest_difference([session, network], texts, size, differences)
            if not found <= MIXTURE_TOLERANCE:  # also when it is not a number
                raise ExportError(
                    f"refused: log-probabilities of the file and of the mixture differ by {found:.2g} {where}, more "
                    f"than {MIXTURE_TOLERANCE:g}"
                )
            largest = max(largest, found)
    return MixtureFigures(largest, MIXTURE_TOLERANCE, len(order))
