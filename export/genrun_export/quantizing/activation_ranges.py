"""How large the values become that a quantized matrix is multiplied with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from genrun.generating.stepping.session import StepSession
from genrun.loading.device import open_session
from genrun_core.runs.atomic import scratch_beside
from genrun_export.quantizing.sample import Sample

__all__ = ["largest_magnitudes"]


def largest_magnitudes(
    model: onnx.ModelProto, session: StepSession, values: Sequence[str], sample: Sample
) -> dict[str, float]:
    """Return the largest magnitude on ``sample`` of each of ``values`` in the graph that ``session`` has opened."""
    recorder = _RangeRecorder(model, session, values)
    sample.perplexity(recorder)
    return recorder.largest


class _RangeRecorder:
    """Takes steps with the same graph, and records how large its values become."""

    def __init__(self, model: onnx.ModelProto, session: StepSession, values: Sequence[str]) -> None:
        self.largest = dict.fromkeys(values, 0.0)
        self.initial_states = session.initial_states
        self._states = [spec.name for spec in session.states]
        self._inner = [name for name in values if name not in self._states]
        watched = onnx.ModelProto()
        watched.CopyFrom(model)
        for name in self._inner:
            watched.graph.output.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
        with scratch_beside(session.path) as path:
            onnx.save(watched, path)
            self._session = open_session(path, "cpu", None).session

    def step(
        self, tokens: NDArray[np.int64], states: Sequence[NDArray[Any]]
    ) -> tuple[NDArray[np.float32], list[NDArray[Any]]]:
        """Take a step as :meth:`StepSession.step` does."""
        fed = dict(zip(self._states, states, strict=True))
        wanted = ["logits", *(f"{name}.next" for name in self._states), *self._inner]
        logits, *left = self._session.run(wanted, {"token": tokens, **fed})
        inner = dict(zip(self._inner, left[len(self._states) :], strict=True))
        for name, value in (fed | inner).items():
            if name in self.largest:
                self.largest[name] = max(self.largest[name], float(np.abs(value).max()))
        return logits, left[: len(self._states)]
