"""The step of a batch that chooses in the graph: its arrays are made once and stay where the model runs.

Two sets of arrays take turns: what one step leaves, the chosen tokens and the states, is bound as what the next step
takes. Only draws go in with each step, and only what is chosen comes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
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
        batch, array = len(carried["token"]), partial(_Array, import_onnxruntime().OrtValue)
        self._draws = array("cpu", np.zeros((batch, 1)))
        self._k, self._temperature = array("cpu", options["k"]), array("cpu", options["temperature"])
        self._chosen_k, self._chooses = options["k"], True
        self._logs = array(memory, np.zeros(batch, np.float32))
        self._sides = [{name: array(memory, value) for name, value in carried.items()} for _ in range(2)]
        self._bindings = [self._bound(*self._sides), self._bound(*reversed(self._sides))]
        self._turn = 0  # which of the sides is fed next

    def load(self, carried: Mapping[str, NDArray[Any]]) -> None:
        """Write tokens or states, or both, for the next step."""
        for name, value in carried.items():
            self._sides[self._turn][name].write(value)

    def carried(self) -> dict[str, NDArray[Any]]:
        """Return copies of tokens and states as the last step left them."""
        return {name: array.read().copy() for name, array in self._sides[self._turn].items()}

    def run(self, draws: Sequence[float] | None) -> tuple[list[int], list[float]]:
        """Run the step; return the chosen ids and their log-probabilities, or nothing without ``draws``."""
        if (draws is not None) is not self._chooses:
            self._chooses = draws is not None
            self._k.write(self._chosen_k if self._chooses else np.zeros_like(self._chosen_k))
        if draws is not None:
            self._draws.write(np.array(draws)[:, None])
        binding = self._bindings[self._turn]
        if not self._on_cpu:  # what was bound may be a copy on the right device, which does not follow its original
            self._bind_inputs(binding, self._sides[self._turn])
            binding.synchronize_inputs()
        self._session.run_with_iobinding(binding)  # returns when the device is done
        self._turn = 1 - self._turn
        if draws is None:
            return [], []
        return self._sides[self._turn]["token"].read().tolist(), self._logs.read().tolist()

    def _bound(self, fed: Mapping[str, _Array], left: Mapping[str, _Array]) -> Any:
        binding = self._session.io_binding()
        self._bind_inputs(binding, fed)
        for name, array in left.items():
            binding.bind_ortvalue_output("chosen" if name == "token" else f"{name}.next", array.value)
        binding.bind_ortvalue_output("chosen_log_probability", self._logs.value)
        return binding

    def _bind_inputs(self, binding: Any, fed: Mapping[str, _Array]) -> None:
        options = {"draw": self._draws, "k": self._k, "temperature": self._temperature}
        for name, array in (*fed.items(), *options.items()):
            binding.bind_ortvalue_input(name, array.value)


class _Array:
    """An array of onnxruntime, an OrtValue that ``make`` makes, in ``memory`` (cpu or cuda) and with that content.

    On the CPU it is one of NumPy's that onnxruntime looks into: writing and reading cost no call.
    """

    __slots__ = ("_array", "value")

    def __init__(self, make: Any, memory: str, value: NDArray[Any]) -> None:
        self._array: NDArray[Any] | None = None
        if memory == "cpu":
            self._array = np.array(value, order="C")  # a copy; the value below does not keep it alive
            self.value = make.ortvalue_from_numpy(self._array)
        else:
            self.value = make.ortvalue_from_shape_and_type(value.shape, value.dtype.type, memory, 0)
            self.value.update_inplace(np.ascontiguousarray(value))

    def write(self, value: NDArray[Any]) -> None:
        """Write the content, of the same shape and type."""
        if self._array is None:
            self.value.update_inplace(np.ascontiguousarray(value))
        else:
            self._array[...] = value

    def read(self) -> NDArray[Any]:
        """Return the content, on the CPU; it is not to be kept."""
        array: NDArray[Any] = self.value.numpy() if self._array is None else self._array
        return array
