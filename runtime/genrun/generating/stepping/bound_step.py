"""A step whose arrays are made once, for a batch of fixed size, and stay where the model runs.

Two sets of arrays take turns: what one step leaves, the states and where the graph chooses also the tokens, is bound
as what the next step takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.generating.stepping.session import StepSession
from genrun.loading.device import import_onnxruntime

__all__ = ["BoundStep"]


class BoundStep:
    """The step of ``session`` for a batch of fixed size, bound to arrays on its device.

    ``inputs``: those that stay the same until they are written again. ``carried``: what goes from step to step, the
    tokens to feed, int64 ``[batch]``, and the states, ``[batch, …]``, by input name. ``outputs``: arrays as large as
    what the further outputs write. Of the tokens, the output ``chosen`` is carried, if ``chooses``; otherwise they
    are loaded before each step.
    """

    def __init__(
        self,
        session: StepSession,
        *,
        inputs: Mapping[str, NDArray[Any]],
        carried: Mapping[str, NDArray[Any]],
        outputs: Mapping[str, NDArray[Any]],
        chooses: bool,
    ) -> None:
        self._session = session
        self._onnx = session.onnx
        self._on_cpu = session.device == "cpu"
        memory = "cuda" if session.device == "cuda" else "cpu"
        self._inputs = {name: _Array("cpu", value) for name, value in inputs.items()}
        self._outputs = {name: _Array(memory, value) for name, value in outputs.items()}
        self._sides = [{name: _Array(memory, value) for name, value in carried.items()} for _ in range(2)]
        self._left = {name: f"{name}.next" for name in carried if name != "token"}
        if chooses:
            self._left["token"] = "chosen"
        self._bindings = [self._bound(*self._sides), self._bound(*reversed(self._sides))]
        self._turn = 0  # which of the sides is fed next

    def load(self, carried: Mapping[str, NDArray[Any]]) -> None:
        """Write tokens or states, or both, for the next step."""
        for name, value in carried.items():
            self._sides[self._turn][name].write(value)

    def carried(self) -> dict[str, NDArray[Any]]:
        """Return copies of tokens and states as the last step left them."""
        return {name: array.read().copy() for name, array in self._sides[self._turn].items()}

    def write(self, name: str, value: NDArray[Any] | float) -> None:
        """Write one of the inputs that stay."""
        self._inputs[name].write(value)

    def read(self, name: str) -> NDArray[Any]:
        """Return an output, or the tokens to be fed next; on the CPU these are the arrays themselves."""
        return (self._sides[self._turn] if name == "token" else self._outputs)[name].read()

    def run(self) -> None:
        """Run the step. Raises Stopped once the session has been told to stop, ModelFileError if the step fails."""
        self._session.raise_if_stopped()
        binding = self._bindings[self._turn]
        try:
            if not self._on_cpu:  # a bound array may be a copy there, which does not follow its original
                self._bind_inputs(binding, self._sides[self._turn])
                binding.synchronize_inputs()
            self._onnx.run_with_iobinding(binding)  # returns when the device is done
        except Exception as error:  # onnxruntime's exceptions share no public base class
            raise self._session.step_error(error) from error
        self._turn = 1 - self._turn

    def _bound(self, fed: Mapping[str, _Array], left: Mapping[str, _Array]) -> Any:
        binding = self._onnx.io_binding()
        self._bind_inputs(binding, fed)
        for name, output in self._left.items():
            binding.bind_ortvalue_output(output, left[name].value)
        for name, array in self._outputs.items():
            binding.bind_ortvalue_output(name, array.value)
        return binding

    def _bind_inputs(self, binding: Any, fed: Mapping[str, _Array]) -> None:
        for name, array in (*fed.items(), *self._inputs.items()):
            binding.bind_ortvalue_input(name, array.value)


class _Array:
    """An array of onnxruntime, an OrtValue, in ``memory`` (cpu or cuda) and with that content.

    On the CPU it is one of NumPy's that onnxruntime looks into: writing and reading cost no call.
    """

    __slots__ = ("_array", "value")

    def __init__(self, memory: str, value: NDArray[Any]) -> None:
        make = import_onnxruntime().OrtValue
        self._array: NDArray[Any] | None = None
        if memory == "cpu":
            self._array = np.array(value, order="C")  # a copy; the value below does not keep it alive
            self.value = make.ortvalue_from_numpy(self._array)
        else:
            self.value = make.ortvalue_from_shape_and_type(value.shape, value.dtype.type, memory, 0)
            self.value.update_inplace(np.ascontiguousarray(value))

    def write(self, value: NDArray[Any] | float) -> None:
        """Write the content, of the same shape and type."""
        if self._array is None:
            self.value.update_inplace(np.ascontiguousarray(value))
        else:
            self._array[...] = value

    def read(self) -> NDArray[Any]:
        """Return the content, on the CPU; it is not to be kept."""
        array: NDArray[Any] = self.value.numpy() if self._array is None else self._array
        return array
