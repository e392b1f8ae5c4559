"""The stage ``quotation``: quotation marks that are opened are closed before the text ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Vocabulary
from genrun.sampling import Candidates
from genrun.sampling.candidates import pairs
from genrun.tokenizer.marks import JOINER

__all__ = ["Quotation"]

_STRAIGHT, _CURLY = 1, 2  # the kinds of quotation marks, as bits of a state
_NONE = -1  # no token


@dataclass(frozen=True, slots=True)
class Quotation:
    """Closes quotation marks: where the text would end with an open one, it closes it instead.

    While a mark is open, the probability of the end goes to the mark that closes it, and a second opening one is left
    out; a closing mark without an opening one is left out too.
    Marks are ``"`` and “ ”. Where a model's words tell an opening ``"`` from a closing one (the normalization step
    ``mark_edges``), both rules hold for it; elsewhere every second one closes. A text that reaches its longest length
    may still have an open mark. A vocabulary with „ is written in another way, and its “ ” are left alone. Let this
    stage come before those that narrow.

    >>> from types import SimpleNamespace
    >>> stage = Quotation().bind(SimpleNamespace(words=["<end>", "“", "”", "go"], end_ids=(0,)))
    >>> states = [stage.first([]), stage.follow(stage.first([]), 1)]
    >>> candidates = Candidates(None, np.zeros((2, 4), np.float32), 4)
    >>> stage.apply(candidates, states, np.zeros(2, np.float32)).logits.tolist()
    [[0.0, 0.0, -inf, 0.0], [-inf, -inf, 0.6931471824645996, 0.0]]
    """

    def bind(self, vocabulary: Vocabulary) -> _BoundQuotation:
        """Return the stage for a model."""
        kinds = _STRAIGHT if any("„" in word for word in vocabulary.words) else _STRAIGHT | _CURLY
        opening, closing, turning = dict[int, int](), dict[int, int](), dict[int, int]()
        for token, word in enumerate(vocabulary.words):
            for kind, change in _changes(word).items():
                if kind & kinds:
                    by = {1: opening, -1: closing, 0: turning}[change]
                    by[token] = by.get(token, 0) | kind
        forbidden, closed = [], []
        for state in range(4):
            wrong = [token for token, kind in opening.items() if kind & state]
            wrong += [token for token, kind in closing.items() if kind & ~state]
            forbidden.append((*wrong, *(vocabulary.end_ids if state else ())))
            closers = (token for token, kind in sorted({**closing, **turning}.items()) if kind & state)
            closed.append(next(closers, _NONE) if state else _NONE)
        return _BoundQuotation(opening, closing, turning, tuple(forbidden), tuple(closed), tuple(vocabulary.end_ids))


@dataclass(frozen=True, slots=True)
class _BoundQuotation:
    """``opening``, ``closing`` and ``turning``: the kinds of marks that a token opens, closes, or does either to."""

    opening: dict[int, int]
    closing: dict[int, int]
    turning: dict[int, int]
    # By the state, which has the kinds that are open: tokens that are left out, and what closes a mark.
    forbidden: tuple[tuple[int, ...], ...]
    closed: tuple[int, ...]
    end_ids: tuple[int, ...]

    def first(self, prompt: Sequence[int]) -> int:
        return reduce(self.follow, prompt, 0)

    def follow(self, state: int, token: int) -> int:
        state |= self.opening.get(token, 0)
        state &= ~self.closing.get(token, 0)
        return state ^ self.turning.get(token, 0)

    def apply(self, candidates: Candidates, states: Sequence[int], draws: NDArray[np.float32]) -> Candidates:
        open_rows = [row for row, state in enumerate(states) if self.closed[state] != _NONE]
        if open_rows:
            closers = np.array([self.closed[states[row]] for row in open_rows], np.int64)
            candidates = self._ended(candidates, np.array(open_rows, np.intp), closers)
        wrong = [self.forbidden[state] for state in states]
        return candidates.without(*pairs(wrong))

    def _ended(self, candidates: Candidates, rows: NDArray[np.intp], closers: NDArray[np.int64]) -> Candidates:
        """Give what the ends of the text have in ``rows`` to the tokens ``closers``, where those may be chosen."""
        rows, columns, _ = candidates.columns_of(rows, closers)
        logits = candidates.logits.copy()
        closing = logits[rows, columns]
        for end in self.end_ids:
            own, ends, which = candidates.columns_of(rows, np.full(len(rows), end, np.int64))
            both = np.logaddexp(closing[which], logits[own, ends])
            closing[which] = np.where(closing[which] > -np.inf, both, closing[which])
        logits[rows, columns] = closing
        return candidates.with_logits(logits)


def _changes(word: str) -> dict[int, int]:
    """Return what a token does to each kind of marks: 1 opens, -1 closes, 0 does either; nothing for the others."""
    marks = word.replace(JOINER, "")
    is_mark = marks in ('"', "“", "”") and marks != word
    if is_mark:
        return {_STRAIGHT if marks == '"' else _CURLY: -1 if word.startswith(JOINER) else 1}
    found = {_STRAIGHT: 0} if word.count('"') % 2 else {}
    if opened := np.sign(word.count("“") - word.count("”")):
        found[_CURLY] = int(opened)
    return found
