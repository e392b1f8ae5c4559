"""Two open model files of one vocabulary as one session: each step is the mixture of their probabilities."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ModelFileError
from genrun.generating.stepping.session import NOT_NUMBERS, States, StepSession
from genrun.sampling import log_normalizers

__all__ = ["MixedSession", "MixedStep"]


class MixedSession(StepSession):
    """Steps with (1 - ``weight``) · p of ``first`` + ``weight`` · p of ``second``; its logits are the logarithms.

    The states of both go side by side. Its graphs do not choose. All else is as ``first`` has it.
    """

    def __init__(self, first: StepSession, second: StepSession, weight: float) -> None:
        self.__dict__.update(first.__dict__)
        self._first, self._second = first, second
        self._logs = math.log1p(-weight), math.log(weight)
        others = [spec._replace(name=f"other.{spec.name}") for spec in second.states]
        self.states = (*first.states, *others)
        self.chooses = self.normalizes = False

    def running_at_once(self, count: int) -> StepSession:
        """Return this session, or a view of it whose steps have one thread each if ``count`` of them run at once."""
        if count == 1:
            return self
        view = copy.copy(self)
        view._first, view._second = self._first.running_at_once(count), self._second.running_at_once(count)
        return view

    def step(self, tokens: NDArray[np.int64], states: Sequence[NDArray[Any]]) -> tuple[NDArray[np.float32], States]:
        """Feed one token per row to both; raises ModelFileError for logits that are not numbers."""
        self.raise_if_stopped()
        own = len(self._first.states)
        parts, following = list[NDArray[np.float64]](), States()
        for session, given, log in zip(
            (self._first, self._second), (states[:own], states[own:]), self._logs, strict=True
        ):
            logits, after = session.step(tokens, given)
            normalizers = log_normalizers(logits)
            if not np.isfinite(normalizers).all():
                raise ModelFileError(f"{session.path}: {NOT_NUMBERS}")
            parts.append(logits + (log - normalizers)[:, None])
            following += after
        return np.logaddexp(*parts).astype(np.float32), following


class MixedStep:
    """The step of a mixed session as a :class:`~genrun.generating.stepping.bound_step.BoundStep` is used.

    ``outputs`` are not needed: only ``logits`` can be read.
    """

    def __init__(self, session: MixedSession, carried: Mapping[str, NDArray[Any]]) -> None:
        self._session = session
        self._carried = {name: value.copy() for name, value in carried.items()}
        self._logits = np.zeros((0, 0), np.float32)

    def load(self, carried: Mapping[str, NDArray[Any]]) -> None:
        """Take tokens or states, or both, for the next step."""
        self._carried.update({name: value.copy() for name, value in carried.items()})

    def carried(self) -> dict[str, NDArray[Any]]:
        """Return copies of tokens and states as the last step left them."""
        return {name: value.copy() for name, value in self._carried.items()}

    def read(self, name: str) -> NDArray[Any]:
        """Return the logits of the last step, float32 ``[batch, vocabulary]``; they may be overwritten."""
        return {**self._carried, "logits": self._logits}[name]

    def write(self, name: str, value: NDArray[Any] | float) -> None:
        """There are no inputs that stay."""
        raise KeyError(name)

    def run(self) -> None:
        """Run the step; raises what :meth:`MixedSession.step` raises."""
        names = [spec.name for spec in self._session.states]
        self._logits, states = self._session.step(self._carried["token"], [self._carried[name] for name in names])
        self._carried.update(zip(names, states, strict=True))
