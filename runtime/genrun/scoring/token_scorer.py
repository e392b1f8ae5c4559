"""Scores tokens one after another, with the likeliest others at each place."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from genrun.checks.arguments import check_count
from genrun.errors import ModelFileError
from genrun.generating.stepping.session import NOT_NUMBERS, StepSession
from genrun.sampling import log_normalizers
from genrun.sampling.logits import top_k

__all__ = ["ScoredToken", "TokenScorer"]


class ScoredToken(NamedTuple):
    """A token of a text: its ``id``, the natural logarithm of its probability, and the likeliest at its place.

    ``log_probability``: None for the first token of a text, which the model does not predict. ``likeliest``: ids with
    their log-probabilities, the likeliest first.
    """

    id: int
    log_probability: float | None
    likeliest: tuple[tuple[int, float], ...] = ()


class TokenScorer:
    """Reads one text token by token; made by :meth:`genrun.model.Model.token_scorer`. For one thread at a time.

    ``most``: how many of the likeliest tokens are returned for each place. ``stop``: once it is set, reading raises
    what a stopped call raises.
    """

    def __init__(self, session: StepSession, most: int, stop: threading.Event | None = None) -> None:
        self._session = session.stoppable(stop)
        self._most = check_count("most", most, least=0)
        self._states = session.initial_states(1)
        self._last: int | None = None  # read, but not yet fed

    def read(self, ids: Iterable[int]) -> list[ScoredToken]:
        """Return the scores of ``ids``, which follow all tokens that were read before; one step for each.

        Raises ModelFileError for logits that are not numbers.
        """
        return [self._read(token) for token in ids]

    def _read(self, token: int) -> ScoredToken:
        last, self._last = self._last, token
        if last is None:
            return ScoredToken(token, None)
        logits, self._states = self._session.step(np.array([last], np.int64), self._states)
        normalizer = log_normalizers(logits)[0]
        if not np.isfinite(normalizer):
            raise ModelFileError(f"{self._session.path}: {NOT_NUMBERS}")
        ids = top_k(logits, self._most)[0].tolist() if self._most else ()
        logs = [float(logits[0, each] - normalizer) for each in (token, *ids)]
        return ScoredToken(token, min(logs[0], 0.0), tuple(zip(ids, logs[1:], strict=True)))
