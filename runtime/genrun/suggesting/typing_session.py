"""Suggestions while a text is typed: the model's states are kept after each token, not computed again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from genrun.checks.arguments import check_count
from genrun.errors import ModelFileError
from genrun.generating.stepping.session import States, StepSession
from genrun.suggesting.suggester import Suggester, Suggestion

__all__ = ["StateTrail", "TypingSession"]


class TypingSession:
    """Suggests words for a text that grows, shrinks and changes; made by :meth:`genrun.model.Model.typing`.

    ``suggest`` returns the same as the model's own ``suggest``, but keeps states of earlier texts: tokens that the
    new text has in common with them cost nothing, every further token one step. ``unknown``: the finished words of
    the last text that are not in the vocabulary. A session is for one thread.
    """

    def __init__(
        self,
        session: StepSession,
        suggester: Suggester,
        *,
        casing: str | None,
        keep: int,
        labels: tuple[int, ...] = (),
    ) -> None:
        self._suggester = suggester
        self._casing = suggester.casing(casing)
        self._trail = StateTrail(session, keep)
        self._labels = labels  # tokens before the text
        self.unknown: tuple[str, ...] = ()

    def suggest(self, text: str, n: int = 5, *, end: bool = False) -> list[Suggestion]:
        """Return the ``n`` likeliest next words of ``text``, or completions of its last word.

        This is :meth:`genrun.model.Model.suggest` without its warning: ``unknown`` has the unknown words.
        """
        n = check_count("n", n)
        before, unfinished = self._suggester.read(text)
        logits = self._trail.logits_after(self._labels + before.ids)
        self.unknown = before.unknown
        return self._suggester.suggest(logits, before, unfinished, n, end=end, casing=self._casing)


class StateTrail:
    """A model's states after each token of a text, so that it can continue from any of them.

    The states after a shorter text are kept until another token is typed there. There are at most ``keep`` states;
    the oldest are dropped, and computed again from an earlier state, or from the beginning, if they are needed.
    """

    def __init__(self, session: StepSession, keep: int) -> None:
        self._session = session
        self._keep = keep
        self._tokens: list[int] = []
        self._states: dict[int, States] = {}  # by the number of tokens before them, the oldest first
        self._last: tuple[Sequence[int], NDArray[np.float32]] | None = None  # ids, and the logits after them

    def logits_after(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Return the logits after the tokens ``ids``, at least one: float32 ``[vocabulary]``.

        This takes no step for the ids of the last call, one step for a beginning of the known tokens or for another
        last token, and otherwise one step for each new token. Raises ModelFileError for a NaN.
        """
        if self._last is not None and self._last[0] == ids:
            return self._last[1]
        shared = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(ids, self._tokens, strict=False))))
        if shared < len(ids):
            del self._tokens[shared:]
            self._states = {count: states for count, states in self._states.items() if count <= shared}
        fed = min(shared, len(ids) - 1)  # the last token is always fed: its step gives the logits
        fed = max((count for count in self._states if count <= fed), default=0)
        states = self._states[fed] if fed else self._session.initial_states(1)
        for position in range(fed, len(ids)):
            logits, states = self._session.step(np.array([ids[position]], np.int64), states)
            self._remember(position, ids[position], states)
        if not np.isfinite(logits.max()):  # the maximum is NaN if any logit is
            raise ModelFileError(f"{self._session.path}: the model's logits are not numbers")
        self._last = ids, logits[0]
        return self._last[1]

    def _remember(self, position: int, token: int, states: States) -> None:
        self._tokens[position : position + 1] = [token]
        self._states.pop(position + 1, None)
        self._states[position + 1] = states
        if len(self._states) > self._keep:
            del self._states[next(iter(self._states))]
