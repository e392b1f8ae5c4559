"""Golden texts: greedy generations for ``genrun verify`` to replay, as far as other machines must choose the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ExportError
from genrun.loading.metadata import GoldenText
from genrun.scoring.verification import GOLDEN_CASING, greedy_continuations, logits_after
from genrun.stepping.session import StepSession
from genrun.tokenizer import Tokenizer

if TYPE_CHECKING:
    from genrun_export.parity import Prompt

__all__ = ["clear_choices", "clear_continuations", "golden_texts", "step_by_step"]

_GOLDEN_LOGITS = 5


def golden_texts(
    tokenizer: Tokenizer,
    session: StepSession,
    prompts: Sequence[Prompt],
    continuations: Sequence[tuple[int, ...]],
) -> tuple[GoldenText, ...]:
    """Return what ``genrun verify`` replays, each prompt once."""
    golden = {}
    for prompt, new in zip(prompts, continuations, strict=True):
        after = logits_after(session, prompt.ids)
        highest = np.argsort(-after, kind="stable")[:_GOLDEN_LOGITS].tolist()
        logits = tuple((token, round(float(after[token]), 4)) for token in highest)
        text = tokenizer.decode((*prompt.ids, *new), GOLDEN_CASING)
        golden[prompt.text] = GoldenText(prompt.text, prompt.ids, new, text, logits)
    return tuple(golden.values())


def clear_choices(logits: NDArray[np.float32], margin: float) -> int:
    """Return how many of the choices of the highest logit, from the first, are clear by ``margin``.

    ``logits``: ``[choices, vocabulary]``, minus infinity where a token must not be chosen.
    """
    highest = np.partition(logits, -2, axis=1)[:, -2:]
    unclear = np.flatnonzero(highest[:, 1] - highest[:, 0] < margin)
    return int(unclear[0]) if len(unclear) else len(logits)


def clear_continuations(
    session: StepSession,
    prompts: Sequence[Prompt],
    suppressed_ids: Sequence[int],
    *,
    count: int,
    batch_sizes: Sequence[int],
    margin: float,
) -> list[tuple[int, ...]]:
    """Return the greedy continuations of ``prompts``, each cut before the first choice that was not clear.

    Raises ExportError if they depend on the size of the batch.
    """
    found, *others = (
        greedy_continuations(
            session, [p.ids for p in prompts], count=count, batch_size=size, suppressed_ids=suppressed_ids
        )
        for size in batch_sizes
    )
    decided = []
    for number, (prompt, new) in enumerate(zip(prompts, found, strict=True)):
        after = np.stack([logits[0] for logits in step_by_step(session, [prompt.ids + new])])
        allowed = after[len(prompt.ids) - 1 : -1]  # [count, vocabulary]
        allowed[:, list(suppressed_ids)] = -np.inf
        kept = new[: clear_choices(allowed, margin)]
        if any(other[number][: len(kept)] != kept for other in others):
            raise ExportError(f"refused: greedy tokens differ between batch {' and '.join(map(str, batch_sizes))}")
        decided.append(kept)
    return decided


def step_by_step(session: StepSession, sequences: Sequence[tuple[int, ...]]) -> Iterator[NDArray[np.float32]]:
    """Yield the logits ``[batch, vocabulary]`` after each token of the sequences; shorter ones go on with token 0."""
    states = session.initial_states(len(sequences))
    for position in range(max(map(len, sequences))):
        tokens = np.array([s[position] if position < len(s) else 0 for s in sequences], np.int64)
        logits, states = session.step(tokens, states)
        yield logits
