"""Regular expressions over tokens, made into automata."""

from __future__ import annotations

import collections.abc
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.errors import OptionError
from genrun.sampling.automata.automaton import Automaton, classes_of
from genrun.sampling.automata.lexicon import Lexicon

__all__ = ["Choice", "Expression", "Repeat", "Sequence", "Token", "compiled", "phrase"]

_MOST_PLACES = 2_000  # of an expression with its repetitions written out
_MOST_STATES = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class Token:
    """One token of a set; ``mask``: bool ``[tokens]``."""

    mask: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sequence:
    """All ``parts`` one after another; none: nothing."""

    parts: collections.abc.Sequence[Expression] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the ``parts``."""

    parts: collections.abc.Sequence[Expression]


@dataclass(frozen=True, slots=True)
class Repeat:
    """``part`` from ``least`` to ``most`` times; None: any number."""

    part: Expression
    least: int = 0
    most: int | None = None


Expression = Token | Sequence | Choice | Repeat


def phrase(lexicon: Lexicon, text: str) -> Sequence:
    """Return the expression of a word or of several; case makes no difference.

    Raises OptionError for words that the model does not have.
    """
    return Sequence([Token(mask) for mask in lexicon.phrase(text)])


def compiled(expression: Expression, skipped: NDArray[np.bool_]) -> Automaton:
    """Return the automaton of the texts that ``expression`` matches as a whole.

    ``skipped``: bool ``[tokens]``, tokens that may stand anywhere without being a part of the match. Raises
    OptionError for an expression whose automaton is too large. (Thompson's construction, then that of subsets:
    Hopcroft and Ullman, "Introduction to Automata Theory", 1979, chapter 2.)

    >>> from genrun.sampling.automata import Opening
    >>> a, b, mark = np.eye(3, dtype=bool)
    >>> found = compiled(Sequence([Token(a), Repeat(Token(b))]), mark)
    >>> found.accepts.tolist(), found.after(Opening((0, 1, 2, 1), "", None))
    ([False, True], 1)
    """
    net = _Net()
    start, end = net.add(expression)
    labels = net.labels or [np.zeros(len(skipped), np.bool_)]
    classes, examples = classes_of([skipped, *labels])
    fits = np.array([skipped, *labels])[:, examples]  # [labels, classes]
    closures = net.closures()
    moves = [[0] * len(examples) for _ in closures]  # sets of states are the bits of a number
    for source, label, target in net.edges:
        for number in fits[label + 1].nonzero()[0].tolist():
            moves[source][number] |= closures[target]
    for state in range(len(closures)):
        for number in fits[0].nonzero()[0].tolist():
            moves[state][number] |= closures[state]
    return _subsets(classes, closures[start], 1 << end, moves).smallest()


def _subsets(classes: NDArray[np.int64], start: int, end: int, moves: list[list[int]]) -> Automaton:
    numbers, table = {start: 0}, list[list[int]]()
    waiting = [start]
    for members in waiting:
        states = [state for state in range(len(moves)) if members >> state & 1]
        row = []
        for number in range(len(moves[0])):
            following = 0
            for state in states:
                following |= moves[state][number]
            if following and following not in numbers:
                numbers[following] = len(numbers)
                waiting.append(following)
                if len(numbers) > _MOST_STATES:
                    raise OptionError(f"it is too large: it needs more than {_MOST_STATES:,} states")
            row.append(numbers[following] if following else -1)
        table.append(row)
    accepts = np.array([bool(members & end) for members in waiting])
    return Automaton(classes, np.array(table, np.int64), accepts)


class _Net:
    """A nondeterministic automaton in the making; ``edges`` are states with the number of a label between them."""

    def __init__(self) -> None:
        self.labels: list[NDArray[np.bool_]] = []
        self.edges: list[tuple[int, int, int]] = []
        self._empty: list[tuple[int, int]] = []
        self._states = 0

    def add(self, expression: Expression) -> tuple[int, int]:
        """Add an expression; return the states before and after it."""
        start = self._state()
        if isinstance(expression, Token):
            end = self._state()
            self.edges.append((start, self._label(expression.mask), end))
        elif isinstance(expression, Sequence):
            end = start
            for part in expression.parts:
                end = self._joined(end, part)
        elif isinstance(expression, Choice):
            end = self._state()
            for part in expression.parts:
                self._empty.append((self._joined(start, part), end))
        else:
            end = self._repeated(start, expression)
        return start, end

    def _repeated(self, start: int, expression: Repeat) -> int:
        end = start
        for _ in range(expression.least):
            end = self._joined(end, expression.part)
        if expression.most is None:
            again = self._state()
            self._empty += [(end, again), (self._joined(again, expression.part), again)]
            return again
        last = self._state()
        for _ in range(expression.least, expression.most):
            self._empty.append((end, last))
            end = self._joined(end, expression.part)
        self._empty.append((end, last))
        return last

    def _joined(self, state: int, part: Expression) -> int:
        first, last = self.add(part)
        self._empty.append((state, first))
        return last

    def _state(self) -> int:
        self._states += 1
        if self._states > 4 * _MOST_PLACES:
            raise OptionError(f"it is too large: written out, it has more than about {_MOST_PLACES:,} words")
        return self._states - 1

    def _label(self, mask: NDArray[np.bool_]) -> int:
        for number, known in enumerate(self.labels):
            if known is mask:
                return number
        self.labels.append(mask)
        return len(self.labels) - 1

    def closures(self) -> list[int]:
        """Return for each state those that are reached from it without a token, itself included, as bits."""
        following: list[list[int]] = [[] for _ in range(self._states)]
        for source, target in self._empty:
            following[source].append(target)
        closures = []
        for state in range(self._states):
            reached, waiting = 1 << state, [state]
            for each in waiting:
                for target in following[each]:
                    if not reached >> target & 1:
                        reached |= 1 << target
                        waiting.append(target)
            closures.append(reached)
        return closures
