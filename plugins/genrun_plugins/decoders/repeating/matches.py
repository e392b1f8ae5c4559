"""Which ends of a text have been there before: what follows them would repeat it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

__all__ = ["Matches", "continued", "follow", "start"]


class Matches(NamedTuple):
    """The ids of a row so far, and for places in them how many ids before the place are the end of the row as well.

    ``lengths`` has the places where that is one or more: after ids 5 6 7 5 6, it is {2: 2}.
    """

    ids: tuple[int, ...]
    lengths: Mapping[int, int]


def start(prompt: Sequence[int], breakers: Collection[int] = (), window: int = 0) -> Matches:
    """Return the matches of a prompt.

    >>> start([5, 6, 7, 5, 6])
    Matches(ids=(5, 6, 7, 5, 6), lengths={2: 2})
    """
    matches = Matches((), {})
    for token in prompt:
        matches = follow(matches, token, breakers, window)
    return matches


def follow(matches: Matches, token: int, breakers: Collection[int] = (), window: int = 0) -> Matches:
    """Return the matches after one more id; those across one of the ``breakers`` do not count.

    ``window``: of how many last ids they are found, 0 for all.
    """
    ids, lengths = matches.ids, matches.lengths
    found: dict[int, int] = {}
    if token in ids and token not in breakers:
        place = -1
        try:
            while True:
                place = ids.index(token, place + 1)
                found[place + 1] = lengths.get(place, 0) + 1
        except ValueError:  # no more of them
            pass
    ids = (*ids, token)
    if window and len(ids) > window:
        ids = ids[1:]
        found = {place - 1: min(length, place - 1) for place, length in found.items() if place > 1}
    return Matches(ids, found)


def continued(matches: Matches) -> Iterator[tuple[int, int]]:
    """Yield each id that would continue a match, and the length of the match.

    >>> list(continued(start([5, 6, 7, 5, 6])))
    [(7, 2)]
    """
    for place, length in matches.lengths.items():
        yield matches.ids[place], length
