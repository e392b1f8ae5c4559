"""Golden texts: greedy generations recorded at export and replayed wherever the model runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, repeat

import numpy as np
from numpy.typing import NDArray

from genrun.generating.batch import Batch
from genrun.generating.choosing.policy import ChooseWith
from genrun.generating.row import Row
from genrun.generating.scheduling import generate_rows
from genrun.generating.stepping.session import StepSession
from genrun.model import Model

__all__ = ["GOLDEN_CASING", "VerificationReport", "greedy_continuations", "logits_after", "verify"]

GOLDEN_CASING = "none"


@dataclass(frozen=True, slots=True)
class _Highest:
    """Chooses the highest logit: the decoder of verification, independent of any plugin."""

    def choose(
        self,
        logits: NDArray[np.float32],
        tokens: Sequence[NDArray[np.int64]],
        draws: NDArray[np.float32],
    ) -> NDArray[np.int64]:
        chosen: NDArray[np.int64] = np.argmax(logits, axis=1)
        return chosen

    def parameters(self) -> Mapping[str, float]:
        return {"k": 1}


@dataclass(frozen=True, slots=True)
class VerificationReport:
    """The result of a replay: the number of golden texts, and a line for each difference."""

    texts: int
    differences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether every golden text was reproduced; False for a file without golden texts."""
        return self.texts > 0 and not self.differences


def greedy_continuations(
    session: StepSession,
    prompts: Sequence[Sequence[int]],
    *,
    count: int,
    batch_size: int,
    suppressed_ids: Sequence[int],
    choose_with: ChooseWith = "decoder",
) -> list[tuple[int, ...]]:
    """Return ``count`` greedy ids for each prompt; end tokens do not end a text.

    ``choose_with`` as for :class:`~genrun.generating.choosing.chooser.Chooser`.
    """
    rows = [Row(prompt, repeat(0.0), count) for prompt in prompts]
    waiting = iter(rows)
    batch = Batch(session, _Highest(), size=batch_size, suppressed_ids=suppressed_ids, choose_with=choose_with)
    for _ in generate_rows([batch], lambda free: list(islice(waiting, free))):
        pass
    return [tuple(row.new_ids) for row in rows]


def logits_after(session: StepSession, prompt: Sequence[int]) -> NDArray[np.float32]:
    """Return the logits float32 ``[vocabulary]`` after the last token of ``prompt``."""
    states = session.initial_states(1)
    for token in prompt:
        logits, states = session.step(np.array([token], np.int64), states)
    last: NDArray[np.float32] = logits[0]
    return last


def verify(model: Model) -> VerificationReport:
    """Replay the golden texts of a model file: prompt → ids → logits → new ids → text, alone and in one batch.

    The new ids are chosen from the logits and, if the graph can choose, in the graph as well.
    """
    golden = model.verification.golden
    differences = []
    for text in golden:
        ids = model.tokenizer.encode_prompt(text.prompt).ids
        if ids != text.prompt_ids:
            differences.append(f"prompt {text.prompt!r} became {ids}, not {text.prompt_ids}")
        after = logits_after(model._session, text.prompt_ids)
        off = float(np.max([abs(float(after[token]) - logit) for token, logit in text.logits]))  # NaN if any logit is
        if not off <= model.verification.logit_tolerance:
            differences.append(f"the logits after prompt {text.prompt!r} are off by {off:.2g}")
        written = model.tokenizer.decode([*text.prompt_ids, *text.new_ids], GOLDEN_CASING)
        if written != text.text:
            differences.append(f"the ids of prompt {text.prompt!r} became {written!r}, not {text.text!r}")
    ways: tuple[ChooseWith, ...] = ("decoder", "graph") if model._session.chooses else ("decoder",)
    for choose_with in ways:
        for batch_size in (1, max(1, len(golden))):
            differences += _replay(model, batch_size, choose_with)
    return VerificationReport(len(golden), tuple(differences))


def _replay(model: Model, batch_size: int, choose_with: ChooseWith) -> list[str]:
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
        choose_with=choose_with,
    )
    where = f"at batch {batch_size}{', chosen in the graph,' if choose_with == 'graph' else ''}"
    differences = []
    for text, new in zip(golden, found, strict=True):
        other = next((i for i, pair in enumerate(zip(text.new_ids, new, strict=False)) if pair[0] != pair[1]), None)
        if other is not None:
            what = f"new token {other + 1} is {new[other]}, not {text.new_ids[other]}"
            differences.append(f"after prompt {text.prompt!r} {where} {what}")
    return differences
