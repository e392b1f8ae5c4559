"""A deterministic finite automaton whose alphabet is classes of tokens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.sampling.automata.lexicon import Opening

__all__ = ["Automaton", "classes_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Automaton:
    """Which texts meet one part of a constraint.

    ``classes``: int64 ``[tokens]``, the class of each token of the lexicon, from 0. ``table``: int64 ``[states,
    classes]``, the next state, -1 where no continuation can meet the part. A text begins in state 0 and meets the
    part if it ends in a state that ``accepts``, bool ``[states]``. ``begin`` returns the state after a prompt; None:
    that after its tokens.

    >>> even = Automaton(np.array([0, 1]), np.array([[0, 1], [1, 0]]), np.array([True, False]))
    >>> even.after(Opening((1, 0, 1, 1), "", None))
    1
    """

    classes: NDArray[np.int64]
    table: NDArray[np.int64]
    accepts: NDArray[np.bool_]
    begin: Callable[[Opening], int] | None = None

    def after(self, opening: Opening) -> int:
        """Return the state after a prompt, -1 if no text that begins with it meets the part."""
        if self.begin is not None:
            return self.begin(opening)
        state = 0
        for token in opening.tokens:
            state = int(self.table[state, self.classes[token]])
            if state < 0:
                break
        return state

    def smallest(self) -> Automaton:
        """Return an automaton for the same texts with as few states as possible, if it has no ``begin``.

        (Moore, "Gedanken-experiments on sequential machines", 1956.)
        """
        if self.begin is not None:
            return self
        blocks, count = self.accepts.astype(np.int64), 0
        while True:
            following = np.where(self.table < 0, -1, blocks[self.table])
            _, first, blocks = np.unique(
                np.column_stack([blocks, following]), axis=0, return_index=True, return_inverse=True
            )
            blocks = blocks.reshape(-1)
            if len(first) == count:
                break
            count = len(first)
        names = np.argsort(np.argsort(first))  # the block of state 0 has the lowest first state
        table = self.table[np.sort(first)]
        renamed = np.where(table < 0, -1, names[blocks][table])
        return Automaton(self.classes, renamed, self.accepts[np.sort(first)])


def classes_of(columns: Sequence[NDArray[np.generic]]) -> tuple[NDArray[np.int64], NDArray[np.intp]]:
    """Return the class of each token, int64 ``[tokens]``, and one token of each class, ``[classes]``.

    Tokens with the same values in all ``columns``, each ``[tokens]``, have one class.

    >>> [part.tolist() for part in classes_of([np.array([5, 7, 5]), np.array([True, True, True])])]
    [[0, 1, 0], [0, 1]]
    """
    codes = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        _, values = np.unique(column, return_inverse=True)
        _, codes = np.unique(codes * (int(values.max(initial=0)) + 1) + values.reshape(-1), return_inverse=True)
        codes = codes.reshape(-1)
    _, first = np.unique(codes, return_index=True)
    return codes.astype(np.int64), first
