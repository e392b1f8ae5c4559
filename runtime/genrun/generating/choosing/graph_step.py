"""The step of a batch that also chooses, in its graph: only draws go in, and only what is chosen comes out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ModelFileError
from genrun.generating.choosing.policy import Parameters
from genrun.generating.stepping.bound_step import BoundStep
from genrun.generating.stepping.session import NOT_NUMBERS, StepSession

__all__ = ["GraphStep"]

_LOGS = "chosen_log_probability"


class GraphStep:
    """Chooses in the graph of ``session``; on a GPU, tokens and states stay there.

    ``carried`` as for :class:`~genrun.generating.stepping.bound_step.BoundStep`.
    """

    def __init__(
        self,
        session: StepSession,
        parameters: Parameters,
        suppressed_ids: Sequence[int],
        carried: Mapping[str, NDArray[Any]],
    ) -> None:
        self._session = session
        self._k, self._batch = parameters.k, len(carried["token"])
        self._suppressed = frozenset(suppressed_ids)
        self._chooses = True
        self._step = BoundStep(
            session,
            inputs={
                "k": np.array([self._k], np.int64),
                "temperature": np.array(parameters.temperature),
                "draw": np.zeros((self._batch, 1)),
            },
            carried=carried,
            outputs={_LOGS: np.zeros(self._batch, np.float32)},
            chooses=True,
        )
        self.load, self.carried = self._step.load, self._step.carried

    def run(self, ready: Sequence[int], draws: Sequence[float], texts: object) -> tuple[list[int], list[float]]:
        """Run the step; return the ids that the rows ``ready`` choose, and their log-probabilities."""
        step = self._step
        if bool(ready) is not self._chooses:
            self._chooses = bool(ready)
            step.write("k", self._k if ready else 0)  # 0: nothing is chosen
        if len(ready) == self._batch:
            step.write("draw", draws[0] if self._batch == 1 else np.array(draws)[:, None])
        elif ready:
            column = np.zeros((self._batch, 1))
            column[ready, 0] = draws
            step.write("draw", column)
        step.run()
        if not ready:
            return [], []
        ids, logs = step.read("token").tolist(), step.read(_LOGS).tolist()
        if len(ready) < self._batch:
            ids, logs = [ids[i] for i in ready], [logs[i] for i in ready]
        self._check(ids, logs)
        return ids, logs

    def _check(self, ids: list[int], logs: list[float]) -> None:
        """Raise ModelFileError for what no sound graph chooses."""
        if min(ids) < 0 or max(ids) >= self._session.vocabulary or math.isnan(sum(logs)):
            raise ModelFileError(NOT_NUMBERS)
        if not self._suppressed.isdisjoint(ids):
            [token, *_] = self._suppressed.intersection(ids)
            raise ModelFileError(f"{self._session.path}: the graph chose the token {token}, which must not be chosen")
