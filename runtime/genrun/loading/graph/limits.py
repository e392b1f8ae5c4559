"""How much a model file may ask for, in proportion to its size: memory, arithmetic, and numbers of things."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BATCHES", "MOST_NODES", "MOST_STATES", "Cost", "Limits"]

MOST_NODES = 10_000
MOST_STATES = 512
# The costs are computed for these. Dimensions are linear in the batch size, so costs between them are bounded too.
BATCHES = (1, 64, 4096)

_MEBIBYTE = 2**20
_ANY_BYTES = 128 * _MEBIBYTE  # that any step may use
_ANY_WORK = 2**27  # multiplications that any step may make: about a tenth of a second
_PASSES = 64  # over all logits and states, of the widest numbers: choosing makes about thirty


@dataclass(slots=True)
class Cost:
    """What one step costs: ``bytes`` of all values that it makes, and multiplications of matrices as ``work``."""

    bytes: int = 0
    work: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a file of ``size`` bytes whose step has ``row`` numbers for each text: its logits and states."""

    size: int
    row: int

    def state_elements(self) -> int:
        """Return how many numbers the states of one text may have."""
        return _MEBIBYTE // 4 + self.size // 2

    def exceeded(self, cost: Cost, batch: int) -> str:
        """Return which limit a step of ``batch`` texts exceeds, empty if none."""
        most_bytes = _ANY_BYTES + 4 * self.size + batch * _PASSES * 8 * self.row
        most_work = _ANY_WORK + batch * (16 * self.size + _PASSES * self.row)
        for what, used, most in (("bytes", cost.bytes, most_bytes), ("multiplications", cost.work, most_work)):
            if used > most:
                return f"a step of {batch} texts takes {used:,} {what}, more than {most:,}"
        return ""
