"""Greedy continuations by a step, which must not depend on the batch, and how clear their choices were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ExportError
from genrun.generating.stepping.session import StepSession
from genrun.scoring.verification import greedy_continuations
from genrun_export.gate.prompts import Prompt

__all__ = ["BATCH_SIZES", "DRAWN_TOKENS", "NEW_TOKENS", "continuations", "step_by_step"]

NEW_TOKENS = 32
DRAWN_TOKENS = 16
BATCH_SIZES = (1, 16)


def continuations(
    session: StepSession, prompts: Sequence[Prompt], suppressed_ids: Sequence[int], margin: float = 0.0
) -> list[tuple[int, ...]]:
    """Return the greedy continuations of ``prompts`` by NEW_TOKENS.

    With a ``margin``, each is cut before the first choice that was not clear by it. Raises ExportError if they depend
    on the size of the batch.
    """
    found, *others = (
        greedy_continuations(
            session, [p.ids for p in prompts], count=NEW_TOKENS, batch_size=size, suppressed_ids=suppressed_ids
        )
        for size in BATCH_SIZES
    )
    if margin:
        found = [_clear_part(session, p, new, suppressed_ids, margin) for p, new in zip(prompts, found, strict=True)]
    for other in others:
        if any(longer[: len(new)] != new for longer, new in zip(other, found, strict=True)):
            raise ExportError(f"refused: greedy tokens differ between batch {' and '.join(map(str, BATCH_SIZES))}")
    return found


def step_by_step(session: StepSession, sequences: Sequence[tuple[int, ...]]) -> Iterator[NDArray[np.float32]]:
    """Yield the logits ``[batch, vocabulary]`` after each token of the sequences; shorter ones go on with token 0."""
    states = session.initial_states(len(sequences))
    for position in range(max(map(len, sequences))):
        tokens = np.array([s[position] if position < len(s) else 0 for s in sequences], np.int64)
        logits, states = session.step(tokens, states)
        yield logits


def _clear_part(
    session: StepSession, prompt: Prompt, new: tuple[int, ...], suppressed_ids: Sequence[int], margin: float
) -> tuple[int, ...]:
    after = np.stack([logits[0] for logits in step_by_step(session, [prompt.ids + new])])
    allowed = after[len(prompt.ids) - 1 : -1]  # [NEW_TOKENS, vocabulary]
    allowed[:, list(suppressed_ids)] = -np.inf
    highest = np.partition(allowed, -2, axis=1)[:, -2:]
    unclear = np.flatnonzero(highest[:, 1] - highest[:, 0] < margin)
    return new[: unclear[0]] if len(unclear) else new
