"""The texts that take steps together: all their rows are one batch of the network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ModelFileError
from genrun.generating.constrained.growing_text import GrowingText
from genrun.generating.constrained.proposals import Allowed, Proposals, propose
from genrun.generating.stepping.session import NOT_NUMBERS, States, StepSession
from genrun.generating.threads import BatchThreads
from genrun.sampling import Chain, log_normalizers

__all__ = ["Pool"]

_ROWS_A_STEP = 64  # more do not make a row cheaper, and their logits leave the cache


@dataclass(frozen=True, slots=True, eq=False)
class _Portion:
    """Some texts, with their rows of a step: ``states`` and ``tokens`` of the network, ``[rows]``."""

    texts: Sequence[GrowingText]
    tokens: NDArray[np.int64]
    states: States
    draws: NDArray[np.float32]


class Pool:
    """Takes steps for all of its texts at once; what becomes of a text does not depend on the others."""

    def __init__(
        self, session: StepSession, chain: Chain, suppressed_ids: Sequence[int], threads: BatchThreads
    ) -> None:
        self._session, self._chain, self._threads = session, chain, threads
        self._suppressed = list(suppressed_ids)
        self._texts: list[GrowingText] = []
        self._states = session.initial_states(0)

    def __len__(self) -> int:
        return len(self._texts)

    def admit(self, texts: Iterable[GrowingText]) -> None:
        """Add texts that have not begun; those that are finished already are left out."""
        joining = [text for text in texts if not text.finished]
        fresh = self._session.initial_states(len(joining))
        self._states = [np.concatenate(pair) for pair in zip(self._states, fresh, strict=True)]
        self._texts += joining

    def advance(self) -> None:
        """Run one step for all rows; finished texts leave."""
        portions = self._portions()
        session = self._session.running_at_once(len(portions))
        if len(portions) == 1 or self._threads.count == 1:
            results = [self._run(session, each) for each in portions]
        else:
            pending = [self._threads.begin(partial(self._run, session, each)) for each in portions]
            results = [each.result() for each in pending]
        kept, states = list[GrowingText](), list[States]()
        for portion, (next_states, fed) in zip(portions, results, strict=True):
            texts, rows = self._grown(portion, fed)
            kept += texts
            states.append([state[rows] for state in next_states])
            fresh = [number for number, row in enumerate(rows) if row < 0]  # read again from the beginning
            for state in states[-1]:
                state[fresh] = 0
        self._texts = kept
        self._states = [np.concatenate(each) for each in zip(*states, strict=True)]

    def _portions(self) -> list[_Portion]:
        """Return the texts in portions of about as many rows as a step is best run with."""
        portions, start = list[_Portion](), 0
        waiting, rows = list[GrowingText](), 0
        for number, text in enumerate(self._texts):
            waiting.append(text)
            rows += len(text.tokens)
            if rows >= _ROWS_A_STEP or number == len(self._texts) - 1:
                tokens = np.concatenate([each.tokens for each in waiting])
                draws = [draw for each in waiting for draw in _draws(each)]
                states = [state[start : start + rows] for state in self._states]
                portions.append(_Portion(waiting, tokens, states, np.array(draws, np.float32)))
                start, waiting, rows = start + rows, [], 0
        return portions

    def _run(self, session: StepSession, portion: _Portion) -> tuple[States, list[Proposals | float | None]]:
        """Run one step; return the next states, and for each text what it wants of the logits."""
        logits, states = session.step(portion.tokens, portion.states)
        if not np.isfinite(logits.max(axis=1)).all():
            raise ModelFileError(NOT_NUMBERS)
        starts = np.cumsum([0, *(len(text.tokens) for text in portion.texts)])
        scores = self._scores(logits, portion.texts, starts)
        growing = [number for number, text in enumerate(portion.texts) if text.wants == "proposals"]
        if not growing:
            return states, [*scores]
        texts = [portion.texts[number] for number in growing]
        rows = np.concatenate([np.arange(starts[number], starts[number + 1]) for number in growing])
        logits = logits[rows] if len(rows) < len(logits) else logits
        logits[:, self._suppressed] = -np.inf
        allowed = [text.particles.allowed() for text in texts]
        chain_states = [state for text in texts for state in text.states()]
        proposals = propose(self._chain, logits, _joined(allowed), chain_states, portion.draws)
        found: list[Proposals | float | None] = [*scores]
        start = 0
        for number, text in zip(growing, texts, strict=True):
            found[number] = proposals.part(start, start + len(text.tokens))
            start += len(text.tokens)
        return states, found

    def _scores(
        self, logits: NDArray[np.float32], texts: Sequence[GrowingText], starts: NDArray[np.int64]
    ) -> list[float | None]:
        """Return the log-probabilities of the tokens that texts want scored; None for the others."""
        scores: list[float | None] = [None] * len(texts)
        wanted = [number for number, text in enumerate(texts) if text.wants == "score"]
        if wanted:
            rows = logits[starts[wanted]]
            logs = rows[np.arange(len(wanted)), [texts[number].scored for number in wanted]] - log_normalizers(rows)
            for number, log in zip(wanted, logs.tolist(), strict=True):
                scores[number] = min(log, 0.0)
        return scores

    def _grown(
        self, portion: _Portion, found: Sequence[Proposals | float | None]
    ) -> tuple[list[GrowingText], NDArray[np.int64]]:
        """Return the texts that are not finished, and the rows that theirs go on with; -1: with none."""
        kept, rows, start = list[GrowingText](), [np.zeros(0, np.int64)], 0
        for text, each in zip(portion.texts, found, strict=True):
            count = len(text.tokens)
            if isinstance(each, Proposals):
                parents = text.grow(each)
            elif each is not None:
                parents = text.score(each)
            else:
                parents = text.read()
            if not text.finished:
                kept.append(text)
                rows.append(np.array([-1]) if parents is None else parents + start)
            start += count
        return kept, np.concatenate(rows)


def _draws(text: GrowingText) -> list[float]:
    """Return the draws of a text's rows for the stages of the chain, if it chooses after this step."""
    return text.particles.draw(len(text.tokens)) if text.wants == "proposals" else []


def _joined(allowed: Sequence[Allowed]) -> list[Allowed]:
    """Return the rows of texts whose tokens have the same classes together."""
    joined = list[Allowed]()
    for each in allowed:
        if joined and joined[-1].classes is each.classes:
            joined[-1] = Allowed(each.classes, np.concatenate([joined[-1].rows, each.rows]))
        else:
            joined.append(each)
    return joined
