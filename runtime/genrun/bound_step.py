"""The step of a batch that chooses in the graph: its arrays are made once and stay where the model runs.

Two sets of arrays take turns: what one step leaves, the chosen tokens and the states, is bound as what the next step
takes. Only draws go in with each step, and only what is chosen comes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.device import import_onnxruntime

__all__ = ["BoundStep"]


class BoundStep:
    """The step of an onnxruntime ``session`` for a batch of fixed size, bound to arrays on its ``device``.

    ``options``: the further inputs ``k`` and ``temperature``. ``carried``: what goes from step to step, the tokens to
    feed, int64 ``[batch]``, and the states, ``[batch, …]``, by input name. The exceptions are onnxruntime's own.
    """

    def __init__(
        self,
        session: Any,
        device: str,
        options: Mapping[str, NDArray[Any]],
        carried: Mapping[str, NDArray[Any]],
    ) -> None:
        self._session = session
        self._on_cpu = device == "cpu"
        memory = "cuda" if device == "cuda" else "cpu"
        batch = len(carried["token"])
        self._logs = _array_on(memory, np.zeros(batch, np.float32))
        self._options = {name: _array_on("cpu", value) for name, value in options.items()}
        self._options["draw"] = _array_on("cpu", np.zeros((batch, 1)))
        self._k, self._chooses = options["k"], True
        self._sides = [{name: _array_on(memory, value) for name, value in carried.items()} for _ in range(2)]
        self._bindings = [self._bound(*self._sides), self._bound(*reversed(self._sides))]
        self._turn = 0  # which of the sides is fed next

    def load(self, carried: Mapping[str, NDArray[Any]]) -> None:
        """Write tokens or states, or both, for the next step."""
        for name, value in carried.items():
            self._sides[self._turn][name].update_inplace(np.ascontiguousarray(value))

    def carried(self) -> dict[str, NDArray[Any]]:
        """Return copies of tokens and states as the last step left them."""
        return {name: np.array(value.numpy()) for name, value in self._sides[self._turn].items()}

    def run(self, draws: Sequence[float] | None) -> tuple[list[int], list[float]]:
        """Run the step; return the chosen ids and their log-probabilities, or nothing without ``draws``."""
        if (draws is not None) is not self._chooses:
            self._chooses = draws is not None
            self._options["k"].update_inplace(self._k if self._chooses else np.zeros_like(self._k))
        if draws is not None:
            self._options["draw"].update_inplace(np.array(draws, np.float64)[:, None])
        binding = self._bindings[self._turn]
        if not self._on_cpu:  # what was bound may be a copy on the right device, which does not follow its original
            self._bind_inputs(binding, self._sides[self._turn])
            binding.synchronize_inputs()
        self._session.run_with_iobinding(binding)  # returns when the device is done
        self._turn = 1 - self._turn
        if draws is None:
            return [], []
        return self._sides[self._turn]["token"].numpy().tolist(), self._logs.numpy().tolist()

    def _bound(self, fed: Mapping[str, Any], left: Mapping[str, Any]) -> Any:
        binding = self._session.io_binding()
        self._bind_inputs(binding, fed)
        for name, value in left.items():
            binding.bind_ortvalue_output("chosen" if name == "token" else f"{name}.next", value)
        binding.bind_ortvalue_output("chosen_log_probability", self._logs)
        return binding

    def _bind_inputs(self, binding: Any, fed: Mapping[str, Any]) -> None:
        for name, value in (*fed.items(), *self._options.items()):
            binding.bind_ortvalue_input(name, value)


def _array_on(memory: str, value: NDArray[Any]) -> Any:
    """Return an array of onnxruntime's, on ``cpu`` or ``cuda``, with the shape, type and content of ``value``."""
    made = import_onnxruntime().OrtValue.ortvalue_from_shape_and_type(value.shape, value.dtype.type, memory, 0)
    made.update_inplace(np.ascontiguousarray(value))
    return made
