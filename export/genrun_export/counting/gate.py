"""The gate of a counted model's export: the file's probabilities must be those that were counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ExportError
from genrun.generating.stepping.session import StepSession
from genrun_core.counting import CountingModel
from genrun_export.counting.differences import largest_difference
from genrun_export.gate.choice_parity import check_choices
from genrun_export.gate.greedy import BATCH_SIZES, DRAWN_TOKENS, NEW_TOKENS, continuations
from genrun_export.gate.prompts import Prompt

__all__ = ["TOLERANCE", "CountingFigures", "check_counting"]

TOLERANCE = 1e-5
_SWEEP_BATCH = 64
_SWEEP_LENGTH = 16


@dataclass(frozen=True, slots=True)
class CountingFigures:
    """What the gate measured, over all prompts, tokens and batch sizes; logits are log-probabilities.

    ``fed_ids``: of the vocabulary, each fed once.
    """

    largest_logit_difference: float
    tolerance: float
    prompts: int
    greedy_tokens: int
    drawn_tokens: int
    batch_sizes: tuple[int, ...]
    fed_ids: int

    def to_json(self) -> dict[str, Any]:
        """Return the figures as a JSON-ready dictionary."""
        return {**asdict(self), "batch_sizes": list(self.batch_sizes)}

    def __str__(self) -> str:
        """Return the figures in words."""
        return (
            f"same probabilities as counted, after each of {self.fed_ids:,} tokens and on {self.prompts} documents "
            f"at batch {' and '.join(map(str, self.batch_sizes))}; largest difference of logarithms "
            f"{self.largest_logit_difference:.1e} (allowed {self.tolerance:.0e})"
        )


def check_counting(
    model: CountingModel, session: StepSession, prompts: Sequence[Prompt], suppressed_ids: Sequence[int]
) -> CountingFigures:
    """Compare the step with the counted ``model``, over the whole vocabulary at every token.

    Compared are the prompts' documents, and the prompts with their greedy continuations, alone and in a batch; and a
    random text in which every id is fed once. Raises ExportError if log-probabilities differ by more than TOLERANCE
    anywhere, a text depends on its batch, or the graph chooses other tokens than the decoders.
    """
    starts = [prompt.ids for prompt in prompts]
    order = np.random.default_rng(0).permutation(model.vocabulary)
    each_once = [tuple(order[i : i + _SWEEP_LENGTH].tolist()) for i in range(0, len(order), _SWEEP_LENGTH)]
    largest = [
        _within_tolerance(model, session, each_once, "where every token is fed once", (_SWEEP_BATCH,)),
        _within_tolerance(model, session, [prompt.document for prompt in prompts], "on documents"),
    ]
    greedy = continuations(session, prompts, suppressed_ids)
    along = [ids + new for ids, new in zip(starts, greedy, strict=True)]
    largest.append(_within_tolerance(model, session, along, "along greedy continuations"))
    check_choices(session, starts, count=DRAWN_TOKENS, batch_sizes=BATCH_SIZES, suppressed_ids=suppressed_ids)
    return CountingFigures(
        max(largest), TOLERANCE, len(prompts), NEW_TOKENS, DRAWN_TOKENS, BATCH_SIZES, model.vocabulary
    )


def _within_tolerance(
    model: CountingModel,
    session: StepSession,
    sequences: Sequence[tuple[int, ...]],
    where: str,
    batch_sizes: Sequence[int] = BATCH_SIZES,
) -> float:
    """Return the largest difference at any batch size; raises ExportError above TOLERANCE."""

    def differences(tokens: tuple[int, ...], logits: Sequence[NDArray[np.float32]]) -> NDArray[np.float64]:
        wanted = np.log(model.distribution(model.contexts(np.array(tokens, np.int64))))
        return np.asarray(logits[0] - wanted, np.float64)

    largest = float(np.max([largest_difference([session], sequences, size, differences) for size in batch_sizes]))
    if not largest <= TOLERANCE:  # also when it is not a number
        raise ExportError(
            f"refused: log-probabilities of the file and of the counts differ by {largest:.2g} {where}, "
            f"more than {TOLERANCE:g}"
        )
    return largest
