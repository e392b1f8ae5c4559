"""The highest of many followers, which come in parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from genrun.generating.searching.growth import Followers

__all__ = ["Top"]


class Top:
    """Keeps the ``count`` followers with the highest values, of equal ones the first.

    ``values``: float64, the highest first. ``rows``, ``ids``, ``model``, ``decoder``, ``ends``: as in Followers.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self.values = np.zeros(0)
        self.kept = Followers(
            np.zeros(0, np.intp), np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0, np.bool_)
        )

    def add(self, values: NDArray[np.float64], followers: Followers) -> None:
        """Look at more followers, of later branches, with these ``values``, ``[pairs]``."""
        chosen = _highest(values, self._count)
        both = np.concatenate([self.values, values[chosen]])
        order = _highest(both, self._count)
        self.values = both[order]
        old = self.kept
        self.kept = Followers(
            np.concatenate([old.rows, followers.rows[chosen]])[order],
            np.concatenate([old.ids, followers.ids[chosen]])[order],
            np.concatenate([old.model, followers.model[chosen]])[order],
            np.concatenate([old.decoder, followers.decoder[chosen]])[order],
            np.concatenate([old.ends, followers.ends[chosen]])[order],
        )


def _highest(values: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """Return the places of the ``count`` highest values, the highest first, of equal ones the first."""
    places: NDArray[np.intp] = np.arange(len(values))
    if len(values) > count:
        least = np.partition(values, len(values) - count)[len(values) - count]
        places = (values >= least).nonzero()[0]
    order = np.argsort(-values[places], kind="stable")[:count]
    chosen: NDArray[np.intp] = places[order]
    return chosen
