"""The step of a batch that also chooses, in its graph: only draws go in, and only what is chosen comes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.stepping.bound_step import BoundStep

__all__ = ["GraphStep"]

_LOGS = "chosen_log_probability"


class GraphStep:
    """A step that chooses by the options ``k``, int64 ``[1]``, and ``temperature``, float64 ``[]``, in the graph.

    ``session``, ``device`` and ``carried`` as for :class:`~genrun.stepping.bound_step.BoundStep`.
    """

    def __init__(
        self, session: Any, device: str, options: Mapping[str, NDArray[Any]], carried: Mapping[str, NDArray[Any]]
    ) -> None:
        batch = len(carried["token"])
        self._step = BoundStep(
            session,
            device,
            inputs={**options, "draw": np.zeros((batch, 1))},
            carried=carried,
            outputs={_LOGS: np.zeros(batch, np.float32)},
            chooses=True,
        )
        self._k, self._chooses = options["k"], True
        self.load, self.carried = self._step.load, self._step.carried

    def run(self, draws: Sequence[float] | None) -> tuple[list[int], list[float]]:
        """Run the step; return the chosen ids and their log-probabilities, or nothing without ``draws``."""
        step = self._step
        if (draws is not None) is not self._chooses:
            self._chooses = draws is not None
            step.write("k", self._k if self._chooses else np.zeros_like(self._k))
        if draws is not None:
            step.write("draw", draws[0] if len(draws) == 1 else np.array(draws)[:, None])
        step.run()
        if draws is None:
            return [], []
        return step.read("token").tolist(), step.read(_LOGS).tolist()
