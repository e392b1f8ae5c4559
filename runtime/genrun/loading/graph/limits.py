"""Limits on a model file, in proportion to its size: memory, multiplications, states and nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["BATCHES", "MOST_NODES", "MOST_STATES", "Cost", "Limits"]

MOST_NODES = 10_000
MOST_STATES = 512
# Costs are computed for these batch sizes. Dimensions are linear in the batch size, so this bounds all sizes between.
BATCHES = (1, 64, 4096)

_MEBIBYTE = 2**20
_ANY_BYTES = 128 * _MEBIBYTE  # allowed for every step
_ANY_WORK = 2**27  # multiplications allowed for every step: about a tenth of a second
_PASSES = 64  # allowed passes over all logits and states in the widest type; choosing makes about thirty


@dataclass(slots=True)
class Cost:
    """The cost of one step: ``bytes`` of all its values, and ``work``, the multiplications of its matrix products."""

    bytes: int = 0
    work: int = 0


class Limits(NamedTuple):
    """The limits for a file of ``size`` bytes, with ``row`` numbers for each text: its logits and states."""

    size: int
    row: int

    def state_elements(self) -> int:
        """Return the most numbers that the states of one text may have."""
        return _MEBIBYTE // 4 + self.size // 2

    def exceeded(self, cost: Cost, batch: int) -> str:
        """Return a message about the limit that a step of ``batch`` texts exceeds, empty if none."""
        most_bytes = _ANY_BYTES + 4 * self.size + batch * _PASSES * 8 * self.row
        most_work = _ANY_WORK + batch * (16 * self.size + _PASSES * self.row)
        for what, used, most in (("bytes", cost.bytes, most_bytes), ("multiplications", cost.work, most_work)):
            if used > most:
                return f"a step of {batch} texts takes {used:,} {what}, more than {most:,}"
        return ""
