"""The operator ``If``, which chooses between two graphs; both are checked."""

from __future__ import annotations

from genrun.loading.graph.rules.operator import Use, allow
from genrun.loading.graph.rules.value import Refused, Value

__all__ = ["either"]


@allow("If", 1, outputs=(1, 16), then_branch="g", else_branch="g")
def _if(use: Use) -> list[Value]:
    """Never called: the checker runs both branches and combines their outputs with :func:`either`."""
    raise Refused("chooses between no graphs")


def either(one: Value, other: Value) -> Value:
    """Return a value that may be either of two: each dimension is the larger one."""
    if len(one.shape) != len(other.shape) or one.dtype != other.dtype:
        raise Refused("chooses between values of different types or ranks")
    pairs = list(zip(one.shape, other.shape, strict=True))
    loose = {i - len(pairs) for i, (a, b) in enumerate(pairs) if a != b}
    return Value(one.dtype, tuple(map(max, pairs)), loose=one.loose | other.loose | loose)
