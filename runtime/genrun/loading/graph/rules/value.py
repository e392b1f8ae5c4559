"""A value of a graph before the graph runs: its type, its shape, and sometimes its numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Refused", "Value", "broadcast", "check_axis", "elements"]

_MOST_ELEMENTS = 2**40  # of one value; any more would exceed every limit on bytes


class Refused(Exception):
    """An operator is used in a way that is not allowed, or its cost cannot be known beforehand."""


class Value(NamedTuple):
    """A value at a given batch size.

    ``known``: the numbers, int64, of a small value of whole numbers that does not depend on the fed values.
    ``linear``: these numbers depend on the batch size. ``loose``: the axes, counted from the end (-1 is the last),
    for which the size in ``shape`` is an upper bound.
    """

    dtype: str
    shape: tuple[int, ...]
    known: NDArray[np.int64] | None = None
    linear: bool = False
    loose: frozenset[int] = frozenset()

    @property
    def exact(self) -> bool:
        """Whether the shape is known exactly."""
        return not self.loose


def elements(shape: Iterable[int]) -> int:
    """Return the number of elements of a value; raises Refused above 2**40."""
    count = 1
    for size in shape:
        count *= size
        if count > _MOST_ELEMENTS:
            raise Refused("makes a value that is too large")
    return count


def check_axis(axis: int, rank: int) -> int:
    """Return an axis counted from the front; raises Refused if it does not exist."""
    if not -rank <= axis < rank:
        raise Refused(f"has the axis {axis} of a value with {rank} dimensions")
    return axis % rank


def broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of several values combined element by element; raises Refused if they do not fit.

    >>> broadcast((8, 1), (5,), ())
    (8, 5)
    """
    rank = max(map(len, shapes))
    combined = []
    for sizes in zip(*((1,) * (rank - len(shape)) + shape for shape in shapes), strict=True):
        wide = {size for size in sizes if size != 1}
        if len(wide) > 1:
            raise Refused(f"combines values of the shapes {' and '.join(map(str, map(list, shapes)))}")
        combined.append(wide.pop() if wide else 1)
    return tuple(combined)
