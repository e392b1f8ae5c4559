"""The step of a batch that chooses in the graph: its arrays are made once and stay where the model runs.

Two sets of arrays take turns: what one step leaves, the chosen tokens and the states, is bound as what the next step
takes. Nothing is copied between steps but the draws, to the device, and what is chosen, from it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnxruntime as ort

__all__ = ["BoundStep"]


class BoundStep:
    """The step of ``session`` for a batch of fixed size, bound to arrays on ``device``, ``cpu`` or ``cuda``.

    ``options``: the further inputs ``k`` and ``temperature``. ``carried``: what goes from step to step, the tokens to
    feed, int64 ``[batch]``, and the states, ``[batch, …]``, by input name. The exceptions are onnxruntime's own.
    """

    def __init__(
        self,
        session: ort.InferenceSession,
        device: str,
        options: Mapping[str, NDArray[Any]],
        carried: Mapping[str, NDArray[Any]],
    ) -> None:
        self._session = session
        self._ort_value = importlib.import_module("onnxruntime").OrtValue
        self._device = device
        batch = len(carried["token"])
        self._draws = self._like(np.zeros((batch, 1)))
        self._logs = self._like(np.zeros(batch, np.float32))
        self._options = {name: self._like(value) for name, value in options.items()}
        self._k, self._chooses = options["k"], True
        self._sides = [{name: self._like(value) for name, value in carried.items()} for _ in range(2)]
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
            self._draws.update_inplace(np.array(draws, np.float64)[:, None])
        self._session.run_with_iobinding(self._bindings[self._turn])
        self._turn = 1 - self._turn
        if draws is None:
            return [], []
        # Reading the first waits for the step; afterwards there is nothing left to wait for.
        return self._sides[self._turn]["token"].numpy().tolist(), self._logs.numpy().tolist()

    def _like(self, value: NDArray[Any]) -> ort.OrtValue:
        """Return an array on the device with the shape, type and content of ``value``."""
        made = self._ort_value.ortvalue_from_shape_and_type(value.shape, value.dtype.type, self._device, 0)
        made.update_inplace(np.ascontiguousarray(value))
        return made

    def _bound(self, fed: Mapping[str, ort.OrtValue], left: Mapping[str, ort.OrtValue]) -> ort.IOBinding:
        binding = self._session.io_binding()
        for name, value in {**fed, **self._options, "draw": self._draws}.items():
            binding.bind_ortvalue_input(name, value)
        for name, value in left.items():
            binding.bind_ortvalue_output("chosen" if name == "token" else f"{name}.next", value)
        binding.bind_ortvalue_output("chosen_log_probability", self._logs)
        return binding
