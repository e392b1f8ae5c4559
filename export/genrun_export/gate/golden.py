"""Golden texts: greedy generations for ``genrun verify`` to replay, as far as other machines must choose the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genrun.generating.stepping.session import StepSession
from genrun.loading.recorded_checks import GoldenText
from genrun.scoring.verification import GOLDEN_CASING, logits_after
from genrun.tokenizer import Tokenizer
from genrun_export.gate.prompts import Prompt

__all__ = ["golden_texts"]

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
