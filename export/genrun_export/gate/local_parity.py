"""The gate's second part: single steps, from the same states, by the file, by Keras and in double precision.

What grows along a text is the network's own doing; one step is the file's. Two files whose steps agree from all
states are the same function, up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ExportError
from genrun_export.gate.double_precision import DoublePrecision, StateArrays, Trace
from genrun_export.gate.file_step import FileStep
from genrun_export.gate.keras_step import KerasStep

__all__ = ["ALLOWED_RATIO", "LocalSteps", "Steps", "take_steps"]

ALLOWED_RATIO = 8.0  # how many times Keras's own rounding errors a file's may be
_FLOOR = 2.0**-20  # of the largest value: what is allowed where Keras happens to round hardly at all
_MOST_ROUNDING = 2.0**-7  # of the largest value: a Keras that rounds more than that can vouch for nothing
_LOGITS = 2**21  # at once: 8 MiB in float32


@dataclass(frozen=True, slots=True)
class Steps:
    """Single steps: ``tokens`` int64 ``[rows]``, and the trace of them, arrays ``[rows, …]``."""

    tokens: NDArray[np.int64]
    trace: Trace

    def __getitem__(self, chosen: slice | NDArray[np.int64]) -> Steps:
        return Steps(self.tokens[chosen], self.trace[chosen])

    def parts(self, size: int) -> Iterator[Steps]:
        """Yield parts of at most ``size`` rows."""
        for first in range(0, len(self.tokens), size):
            yield self[first : first + size]


@dataclass(slots=True)
class _Errors:
    """The largest errors of one output so far; ``where`` and ``token`` are those of the file's."""

    file: float = 0.0
    keras: float = 0.0
    magnitude: float = 0.0
    token: int = -1
    where: str = ""

    def add(self, exact: NDArray[Any], found: NDArray[Any], tokens: NDArray[np.int64], where: str) -> None:
        """Note the file's errors, ``[rows, …]`` each."""
        by_row = np.abs(found - exact).reshape(len(tokens), -1).max(axis=1)
        worst = int(by_row.argmax())  # of a number that is not one, if there is one
        if not (by_row[worst] <= self.file or np.isnan(self.file)):
            self.file, self.token, self.where = float(by_row[worst]), int(tokens[worst]), where
        if exact.dtype.kind == "f":  # whole numbers are not rounded
            self.magnitude = float(np.maximum(self.magnitude, np.abs(exact).max()))

    def add_keras(self, exact: NDArray[Any], found: NDArray[Any]) -> None:
        """Note Keras's errors."""
        self.keras = float(np.maximum(self.keras, np.abs(found - exact).max()))

    @property
    def allowed(self) -> float:
        """The largest error that a file may have."""
        return ALLOWED_RATIO * self.keras + _FLOOR * self.magnitude

    @property
    def ratio(self) -> float:
        """The file's error in terms of what Keras rounds, or of the least that counts as rounding."""
        return ALLOWED_RATIO * self.file / self.allowed if self.file else 0.0


@dataclass(slots=True)
class LocalSteps:
    """Takes steps in all three ways and keeps the largest errors of each output."""

    file: FileStep
    keras: KerasStep
    double: DoublePrecision
    vocabulary: int
    steps: int = 0
    errors: dict[str, _Errors] = field(default_factory=dict)

    @property
    def rows_at_once(self) -> int:
        """How many rows are fed at once, so that their logits stay few."""
        return int(np.clip(_LOGITS // self.vocabulary, 1, 256))

    def feed(self, steps: Steps, where: str, *, batch: int | None = None) -> Iterator[NDArray[np.float64]]:
        """Take steps, ``batch`` at a time, and yield their exact logits ``[batch, vocabulary]``."""
        for these in steps.parts(batch or self.rows_at_once):
            yield self._feed(these, where, slice(None), vouched=True)

    def feed_parts(self, steps: Steps, where: str, columns: slice) -> None:
        """Take steps and compare the logits of ``columns`` of the vocabulary; Keras's of the first rows only."""
        for number, these in enumerate(steps.parts(self.rows_at_once)):
            self._feed(these, where, columns, vouched=number == 0)

    def _feed(self, steps: Steps, where: str, columns: slice, *, vouched: bool) -> NDArray[np.float64]:
        self.steps += len(steps.tokens)
        logits, following = self.file.step(steps.tokens, steps.trace.before)
        hidden, by_keras = self.keras.step(steps.tokens, steps.trace.before)
        for k, state in enumerate(steps.trace.after):
            self._compare(f"state.{k}.next", state, following[k], by_keras[k], steps, where)
        exact = self.double.logits(steps.trace.hidden, columns)
        theirs = self.keras.logits(hidden)[:, columns] if vouched else None
        self._compare("logits", exact, logits[:, columns], theirs, steps, where)
        return exact

    def check(self) -> float:
        """Return the largest ratio of an error to Keras's; raises ExportError for one above ALLOWED_RATIO."""
        for name, found in self.errors.items():
            if not found.keras <= _MOST_ROUNDING * found.magnitude:
                raise ExportError(
                    f"refused: Keras rounds {name} by {found.keras:.2g} in a single step, with values up to "
                    f"{found.magnitude:.2g}: nothing can be compared with that (did the training diverge?)"
                )
            if not found.file <= found.allowed:
                raise ExportError(
                    f"refused: {name} in the file is off by {found.file:.2g} after token {found.token} "
                    f"{found.where}; {found.allowed:.2g} is allowed, since Keras rounds by {found.keras:.2g}"
                )
        return max(found.ratio for found in self.errors.values())

    def _compare(
        self,
        name: str,
        exact: NDArray[Any],
        found: NDArray[Any],
        by_keras: NDArray[Any] | None,
        steps: Steps,
        where: str,
    ) -> None:
        if found.shape != exact.shape:
            raise ExportError(f"refused: {name} in the file has the shape {list(found.shape)}")
        errors = self.errors.setdefault(name, _Errors())
        errors.add(exact, found, steps.tokens, where)
        if by_keras is not None:
            errors.add_keras(exact, by_keras)


def take_steps(
    double: DoublePrecision,
    tokens: NDArray[np.int64],
    states: StateArrays | None = None,
    real: NDArray[np.bool_] | None = None,
) -> Steps:
    """Return the single steps of sequences ``[rows, time]``, those that are ``real`` and no padding."""
    trace = double.run(tokens, states)
    chosen = np.ones(tokens.shape, bool) if real is None else real
    return Steps(tokens[chosen], trace[chosen])
