"""A step by a file's graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ExportError
from genrun.generating.stepping.session import StepSession

__all__ = ["FileStep"]


@dataclass(frozen=True, slots=True)
class FileStep:
    """The network in an open file."""

    session: StepSession

    @property
    def outputs(self) -> list[str]:
        """The names of what a step returns: the logits and the next states."""
        return ["logits", *(f"{spec.name}.next" for spec in self.session.states)]

    def initial_states(self, batch: int) -> list[NDArray[Any]]:
        """Return the states before the first token, ``[batch, …]`` each."""
        return self.session.initial_states(batch)

    def step(
        self, tokens: NDArray[np.int64], states: Sequence[NDArray[Any]]
    ) -> tuple[NDArray[np.float32], list[NDArray[Any]]]:
        """Feed int64 ``[batch]`` → logits float32 ``[batch, vocabulary]`` and the next states."""
        names = (spec.name for spec in self.session.states)
        fed = dict(zip(names, states, strict=True)) | {"token": tokens}
        try:
            logits, *following = self.session.onnx.run(self.outputs, fed)
        except Exception as error:  # of onnxruntime, which have no public base class
            raise ExportError(f"refused: {self.session.step_error(error)}") from error
        return logits, following

    def check_states(self, expected: Sequence[NDArray[Any]]) -> None:
        """Raise ExportError unless the file's states have the dtypes and shapes of the network's."""
        wanted = [(state.dtype.name, state.shape[1:]) for state in expected]
        found = [(spec.dtype.name, spec.shape) for spec in self.session.states]
        if len(found) != len(wanted):
            raise ExportError(f"refused: the file has {len(found)} states, not {len(wanted)}")
        for k, (ours, files) in enumerate(zip(wanted, found, strict=True)):
            if ours != files:
                raise ExportError(f"refused: state.{k} is {files[0]} {list(files[1])}, not {ours[0]} {list(ours[1])}")
