"""What each operator that a model file may use makes of its inputs: the allow-list, one module for each kind."""

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
