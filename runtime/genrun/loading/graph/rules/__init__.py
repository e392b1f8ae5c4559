"""The accepted operators, and rules that compute the shapes of their outputs; one module for each kind."""

from genrun.loading.graph.rules import (
    combining,
    elementwise,
    indexing,
    making,
    matrices,
    rearranging,
    recurrent,
    reducing,
)
from genrun.loading.graph.rules.operator import OPERATORS, Operator

__all__ = ["OPERATORS", "Operator"]

_ROOMS = (combining, elementwise, indexing, making, matrices, recurrent, reducing, rearranging)  # fill OPERATORS
