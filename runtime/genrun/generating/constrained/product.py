"""All parts of a constraint as one automaton over the vocabulary, with the way to the end from each of its states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.errors import OptionError
from genrun.sampling.automata import Automaton, Lexicon
from genrun.sampling.automata.automaton import classes_of

__all__ = ["UNREACHABLE", "Plan", "Product"]

UNREACHABLE = np.iinfo(np.int64).max // 2
_MOST_TRANSITIONS = 4_000_000
_MOST_HOPES = 200_000_000  # transitions, each looked at for each number of tokens left
_LEAST_HOPE = 1e-300
_END_SHARE = 0.1  # one in ten tokens is taken to be an end


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The states that a text may pass through from a beginning; it begins in state 0.

    ``classes``: int64 ``[vocabulary]``, the class of each token. ``table``: int64 ``[states, classes]``, the next
    state, -1 for none. ``distance``: int64 ``[states + 1]``, the fewest tokens to the end of a text; the last one is
    that of "no state". ``final``: bool ``[states]``, where a text is finished. ``hope``: float64 ``[left + 1,
    states]``, about how likely the end is reached with that many tokens left, above 0; empty: it is not known.
    """

    classes: NDArray[np.int64]
    table: NDArray[np.int64]
    distance: NDArray[np.int64]
    final: NDArray[np.bool_]
    hope: NDArray[np.float64]

    @property
    def end(self) -> int:
        """The class of the tokens that end a text."""
        return int(self.table.shape[1]) - 2

    def gains(self, states: NDArray[np.int64], left: int) -> NDArray[np.float64]:
        """Return for ``states``, ``[rows]``, what each class changes the hope by, float64 ``[rows, classes]``.

        ``left``: how many tokens there may be until the end. 0: the class is not allowed, since the end could not be
        reached after it.
        """
        following = self.table[states]
        allowed = self.distance[following] < left
        if not len(self.hope):
            return allowed.astype(np.float64)
        gains = self.hope[left - 1][following] / self.hope[left][states][:, None]
        return np.where(allowed, gains, 0.0)


class Product:
    """The parts of a constraint, all of which a text must meet, for the tokens of a lexicon.

    ``limit``: the most tokens of a text, for which plans know their hope; 0: they do not.
    """

    def __init__(
        self, automata: Sequence[Automaton], lexicon: Lexicon, end_ids: Sequence[int], limit: int = 0
    ) -> None:
        self._automata, self._limit = automata, limit
        classes, examples = classes_of([*(each.classes for each in automata), lexicon.usable])
        used = lexicon.usable[examples]
        columns = np.full(len(examples), used.sum() + 1)  # the last column is for what is never generated
        columns[used] = np.arange(used.sum())
        self.classes = columns[classes][: len(lexicon.tokenizer)]
        self.classes[list(end_ids)] = used.sum()  # the column before it ends a text
        self._columns = [each.classes[examples[used]] for each in automata]
        self._sizes = [len(each.table) for each in automata]
        self._has_end = bool(end_ids)
        self._shares = _shares(self.classes, int(used.sum()), self._has_end)
        self._plans: dict[tuple[int, ...], Plan] = {}
        if np.prod([float(size) for size in self._sizes]) > UNREACHABLE:
            raise OptionError("the constraint is too large: leave out a part")

    def plan(self, states: tuple[int, ...]) -> Plan:
        """Return the plan from these ``states`` of the automata; raises OptionError if it is too large."""
        if states not in self._plans:
            if len(self._plans) > 256:
                self._plans.clear()
            self._plans[states] = self._made(states)
        return self._plans[states]

    def _made(self, start: tuple[int, ...]) -> Plan:
        codes, following = self._explored(int(np.ravel_multi_index(start, self._sizes)))
        count, width = following.shape
        finished = count  # the state after the end
        table = np.full((count + 1, width + 2), -1)
        table[:count, :width] = following
        accepts = np.ones(count, np.bool_)
        for each, local in zip(self._automata, np.unravel_index(codes, self._sizes), strict=True):
            accepts &= each.accepts[local]
        final = np.append(accepts & (not self._has_end), True)
        if self._has_end:
            table[:count, width] = np.where(accepts, finished, -1)
        table[final] = -1
        hope, distance = np.zeros((0, 0)), _distances(table, final)
        if distance[0] <= self._limit and table.size * self._limit <= _MOST_HOPES:
            hope = _hope(table, final, self._shares, self._limit)
        return Plan(self.classes, table, distance, final, hope)

    def _explored(self, start: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the codes of the states that are reached, ``[states]``, and the next ones, ``[states, classes]``."""
        known, found, width = np.array([start]), list[NDArray[np.int64]](), len(self._columns[0])
        codes, frontier = list[NDArray[np.int64]](), known
        while frontier.size:
            if len(known) * max(width, 1) > _MOST_TRANSITIONS:
                raise OptionError(
                    f"the constraint is too large: its automaton has more than {len(known):,} states for {width:,} "
                    "classes of words; leave out a part, or make a range smaller"
                )
            following = self._following(frontier)
            codes.append(frontier)
            found.append(following)
            frontier = np.setdiff1d(following[following >= 0], known)
            known = np.union1d(known, frontier)
        every, table = np.concatenate(codes), np.concatenate(found)
        order = np.argsort(every)
        numbers = order[np.minimum(np.searchsorted(every[order], table), len(every) - 1)]
        return every, np.where(table < 0, -1, numbers)

    def _following(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the codes of the next states, int64 ``[states, classes]``, -1 for none."""
        following = np.zeros((len(codes), len(self._columns[0])), np.int64)
        dead = np.zeros(following.shape, np.bool_)
        for each, columns, size, local in zip(
            self._automata, self._columns, self._sizes, np.unravel_index(codes, self._sizes), strict=True
        ):
            step = each.table[local][:, columns]
            dead |= step < 0
            following = following * size + step
        following[dead] = -1
        return following


def _distances(table: NDArray[np.int64], final: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the fewest tokens from each state to a final one, int64 ``[states + 1]``, by breadth-first search."""
    count = len(table)
    sources, columns = (table >= 0).nonzero()
    edges = np.unique(table[sources, columns] * count + sources)  # by target
    targets, sources = edges // count, edges % count
    starts = np.searchsorted(targets, np.arange(count + 1))
    distance = np.full(count + 1, UNREACHABLE)
    frontier, steps = final.nonzero()[0], 0
    while frontier.size:
        distance[frontier] = steps
        lengths = starts[frontier + 1] - starts[frontier]
        places = np.repeat(starts[frontier] - np.append(0, np.cumsum(lengths)[:-1]), lengths)
        before = np.unique(sources[places + np.arange(lengths.sum())])
        frontier, steps = before[distance[before] == UNREACHABLE], steps + 1
    return distance


def _shares(classes: NDArray[np.int64], usable: int, has_end: bool) -> NDArray[np.float64]:
    """Return about how many of all tokens are of each class, float64 ``[classes]``; they add up to 1.

    Vocabularies begin with the most frequent tokens, and the frequency falls about as one over the rank (Zipf).
    """
    weights = 1 / (np.arange(len(classes)) + 5.0)
    shares: NDArray[np.float64] = np.bincount(classes, weights, usable + 2).astype(np.float64)
    shares[usable:] = 0
    shares /= max(shares.sum(), _LEAST_HOPE)
    if has_end:
        shares *= 1 - _END_SHARE
        shares[usable] = _END_SHARE
    return shares


def _hope(
    table: NDArray[np.int64], final: NDArray[np.bool_], shares: NDArray[np.float64], limit: int
) -> NDArray[np.float64]:
    """Return how likely a text of tokens that are drawn independently of each other would come to its end.

    float64 ``[limit + 1, states]``: for each number of tokens left.
    """
    hope = np.empty((limit + 1, len(table)))
    hope[0] = final
    reaches = np.where(table >= 0, shares, 0.0)
    for left in range(1, limit + 1):
        hope[left] = np.where(final, 1.0, (hope[left - 1][table] * reaches).sum(axis=1))
    return np.maximum(hope, _LEAST_HOPE)
