"""Golden texts: greedy generations recorded at export and replayed wherever the model runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.batch import Batch, Row, generate_rows
from genrun.model import Model
from genrun.session import StepSession

__all__ = ["GOLDEN_CASING", "VerificationReport", "greedy_continuations", "verify"]

GOLDEN_CASING = "none"


@dataclass(frozen=True, slots=True)
class _Highest:
    """Takes the highest logit: the reference decoder of verification, independent of any plugin."""

    def choose(
        self,
        logits: NDArray[np.float32],
        tokens: Sequence[NDArray[np.int64]],
        draws: NDArray[np.float32],
    ) -> NDArray[np.int64]:
        chosen: NDArray[np.int64] = np.argmax(logits, axis=1)
        return chosen


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """The outcome of a replay: how many golden texts there are, and a line for each that came out differently."""

    texts: int
    differences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every golden text was reproduced. A file without golden texts has nothing to show for itself."""
        return self.texts > 0 and not self.differences


def greedy_continuations(
    session: StepSession,
    prompts: Sequence[Sequence[int]],
    *,
    count: int,
    batch_size: int,
    suppressed_ids: Sequence[int],
) -> list[tuple[int, ...]]:
    """Return the ``count`` most likely next ids for each prompt, end tokens not heeded."""
    rows = [Row(prompt, np.zeros(count, np.float32)) for prompt in prompts]
    batch = Batch(session, _Highest(), suppressed_ids=suppressed_ids)
    for _ in generate_rows(batch, rows, batch_size=batch_size):
        pass
    return [tuple(row.new_ids) for row in rows]


def verify(model: Model) -> VerificationReport:
    """Replay the golden texts of a model file: prompt → ids → new ids → text, alone and in one batch."""
    golden = model.verification.golden
    differences = []
    for text in golden:
        ids = model.tokenizer.encode_prompt(text.prompt).ids
        if ids != text.prompt_ids:
            differences.append(f"prompt {text.prompt!r} became {ids}, not {text.prompt_ids}")
        written = model.tokenizer.decode([*text.prompt_ids, *text.new_ids], GOLDEN_CASING)
        if written != text.text:
            differences.append(f"the ids of prompt {text.prompt!r} became {written!r}, not {text.text!r}")
    for batch_size in (1, max(1, len(golden))):
        differences += _replay(model, batch_size)
    return VerificationReport(len(golden), tuple(differences))


def _replay(model: Model, batch_size: int) -> list[str]:
    golden = model.verification.golden
    longest = max((len(text.new_ids) for text in golden), default=0)
    if not longest:
        return []
    found = greedy_continuations(
        model._session,
        [text.prompt_ids for text in golden],
        count=longest,
        batch_size=batch_size,
        suppressed_ids=model.defaults.suppressed_ids,
    )
    return [
        f"prompt {text.prompt!r} at batch {batch_size} went on with {new[: len(text.new_ids)]}, not {text.new_ids}"
        for text, new in zip(golden, found, strict=True)
        if new[: len(text.new_ids)] != text.new_ids
    ]
