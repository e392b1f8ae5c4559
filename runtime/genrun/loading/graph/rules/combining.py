"""Choosing between two graphs; both are checked, whichever is taken."""

from __future__ import annotations

from genrun.loading.graph.rules.operator import Use, allow
from genrun.loading.graph.rules.value import Refused, Value

__all__ = ["either"]


@allow("If", 1, outputs=(1, 16), then_branch="g", else_branch="g")
def _if(use: Use) -> list[Value]:
    """The checker runs the branches and combines what they make by :func:`either`."""
    raise Refused("chooses between no graphs")


def either(one: Value, other: Value) -> Value:
    """Return what may be one of two values: the larger of each dimension."""
    if len(one.shape) != len(other.shape) or one.dtype != other.dtype:
        raise Refused("chooses between values of different types or ranks")
    pairs = list(zip(one.shape, other.shape, strict=True))
    loose = {i - len(pairs) for i, (a, b) in enumerate(pairs) if a != b}
    return Value(one.dtype, tuple(map(max, pairs)), loose=one.loose | other.loose | loose)
