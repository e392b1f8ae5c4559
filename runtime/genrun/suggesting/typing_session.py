"""Suggestions while a text is typed: the model's states after the words so far are kept, not computed again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from genrun.checks.arguments import check_count
from genrun.errors import ModelFileError
from genrun.stepping.session import States, StepSession
from genrun.suggesting.suggester import Suggester, Suggestion

__all__ = ["KEPT_STATES", "StateTrail", "TypingSession"]

KEPT_STATES = 256


class TypingSession:
    """Suggests words for a text that grows, shrinks and changes; made by :meth:`genrun.model.Model.typing`.

    ``suggest`` gives what the model's own ``suggest`` gives, from the states that it kept of the texts before: what
    the new text begins with in common costs nothing, every further token one step. ``unknown``: the finished words of
    the last text that are not in the vocabulary. For one thread.
    """

    def __init__(self, session: StepSession, suggester: Suggester, *, casing: str | None, keep: int) -> None:
        self._suggester = suggester
        self._casing = suggester.casing(casing)
        self._trail = StateTrail(session, keep)
        self.unknown: tuple[str, ...] = ()

    def suggest(self, text: str, n: int = 5, *, end: bool = False) -> list[Suggestion]:
        """Return the ``n`` likeliest words to follow ``text`` as it is now, or to complete its last one.

        Words outside the vocabulary are named in ``unknown``; otherwise as :meth:`genrun.model.Model.suggest`.
        """
        n = check_count("n", n)
        before, unfinished = self._suggester.read(text)
        logits = self._trail.logits_after(before.ids)
        self.unknown = before.unknown
        return self._suggester.suggest(logits, before, unfinished, n, end=end, casing=self._casing)


class StateTrail:
    """The states that a model has gone through, token by token, so that it can go on from any of them.

    A trail stays beyond the end of a shorter text, until another token is typed there. It holds at most ``keep``
    states; the oldest are dropped, and computed again from an earlier one, or from the beginning, if they are needed.
    """

    def __init__(self, session: StepSession, keep: int) -> None:
        self._session = session
        self._keep = keep
        self._tokens: list[int] = []
        self._states: dict[int, States] = {}  # by the number of tokens they come after, the oldest first
        self._last: tuple[Sequence[int], NDArray[np.float32]] | None = None  # ids, and the logits after them

    def logits_after(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """Return the logits after the tokens ``ids``, at least one: float32 ``[vocabulary]``.

        Costs no step for the ids of the last call, one for any other beginning of the trail or for another token at
        its end, and otherwise one for each new token.
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
        if not np.isfinite(logits.max()):  # the highest of numbers with a NaN among them is NaN
            raise ModelFileError(f"{self._session.path}: the model's logits are not numbers")
        self._last = ids, logits[0]
        return self._last[1]

    def _remember(self, position: int, token: int, states: States) -> None:
        self._tokens[position : position + 1] = [token]
        self._states.pop(position + 1, None)
        self._states[position + 1] = states
        if len(self._states) > self._keep:
            del self._states[next(iter(self._states))]
