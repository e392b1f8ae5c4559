"""Arithmetic sampling: each text is what a number from 0 to 1 means, and the numbers have equal distances."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from genrun.generating.draws import Draws, branch_numbers
from genrun.generating.searching.branch import Branch
from genrun.generating.searching.growth import Followers, Growth

__all__ = ["Code", "draw_spread"]

_EXACT = 2.0**-40  # as exactly as this a code is known when it chooses
_ROUNDING = 2.0**-53
_NUMBER = 2.0**-24  # the distance of the numbers that draws can be


class Code:
    """The number in [0, 1) that is a text, as exactly as it is needed.

    Each token narrows it down to an interval, which becomes [0, 1) again. That leaves fewer digits of the number, so
    further ones are drawn.
    """

    __slots__ = ("_digits", "_unknown", "value")

    def __init__(self, value: float, digits: Iterator[float]) -> None:
        self.value, self._digits = value, digits
        self._unknown = _ROUNDING  # the code is from the value to this much above it

    def narrow(self, low: float, high: float) -> None:
        """Go on within the interval from ``low`` to ``high``."""
        width = max(high - low, 1e-300)
        self.value, self._unknown = (self.value - low) / width, self._unknown / width
        while self._unknown > _EXACT:
            self.value += min(self._unknown, 1.0) * next(self._digits)
            self._unknown = min(self._unknown, 1.0) * _NUMBER
        self.value = min(max(self.value, 0.0), 1 - _ROUNDING)
        self._unknown = max(self._unknown, _ROUNDING)


def draw_spread(growth: Growth, count: int, seed: int, key: Sequence[int]) -> list[Branch]:
    """Return ``count`` texts, each drawn with the probabilities of the decoder, but evenly spread together.

    The codes are (u + i / count) modulo 1, with one uniform u; so each by itself is uniform. A code means a text as
    in arithmetic coding: each token has an interval as wide as its probability, and the rest of the code says how the
    text goes on. Texts that begin alike are neighbours. (Vilnis et al., "Arithmetic Sampling: Parallel Diverse
    Decoding for Large Language Models", 2023.)
    """
    shift = float(branch_numbers(seed, key, (), 1)[0])
    codes = [Code((shift + i / count) % 1.0, Draws(seed, i, key)) for i in range(count)]
    found: list[Branch | None] = [None] * count
    level = growth.root()
    owners = [list(range(count))]  # of each branch, the numbers of its codes
    while level.branches:
        rows, branches, owned = [], list[Branch](), list[list[int]]()
        for part in growth.followers(level):
            for row, places in _rows(part):
                for place, own in _divided(part.decoder[places], owners[row], codes):
                    at = places.start + place
                    logs = float(part.model[at]), float(part.decoder[at])
                    branch = growth.longer(level.branches[row], int(part.ids[at]), *logs)
                    if branch.finish_reason:
                        for number in own:
                            found[number] = branch
                        continue
                    rows.append(row)
                    branches.append(branch)
                    owned.append(own)
        if not branches:
            break
        level, owners = growth.grown(level, rows, branches), owned
    return [branch for branch in found if branch is not None]


def _rows(part: Followers) -> Iterator[tuple[int, slice]]:
    """Yield the number of each branch, and the places of its followers."""
    borders = [0, *(np.flatnonzero(np.diff(part.rows)) + 1).tolist(), len(part.rows)]
    for start, end in itertools.pairwise(borders):
        yield int(part.rows[start]), slice(start, end)


def _divided(logs: NDArray[np.float64], own: Sequence[int], codes: Sequence[Code]) -> list[tuple[int, list[int]]]:
    """Return which followers the codes with the numbers ``own`` choose, with the numbers of those that do.

    ``logs``: the log-probability of each follower, float64 ``[followers]``. The codes are narrowed.
    """
    cumulative = np.cumsum(np.exp(logs))
    cumulative /= cumulative[-1]
    last = int(np.searchsorted(cumulative, 1.0))  # behind it, nothing has a probability
    values = np.array([codes[number].value for number in own])
    places = np.minimum(np.searchsorted(cumulative, values, side="right"), last).tolist()
    groups: dict[int, list[int]] = {}
    for number, place in zip(own, places, strict=True):
        codes[number].narrow(float(cumulative[place - 1]) if place else 0.0, float(cumulative[place]))
        groups.setdefault(place, []).append(number)
    return sorted(groups.items())
