"""A network in double precision, in NumPy: what it would compute if float32 did not round.

One layer after the other, so that only one layer's weights are there in double precision. Each layer knows its own
exact step (:mod:`genrun_core.network.layer_steps`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from genrun.errors import ExportError
from genrun_core.network.layer_steps import ExactStep, UnknownLayer, steps_of
from genrun_core.network.layers import LogitBias

__all__ = ["DoublePrecision", "StateArrays", "Trace"]

Doubles = NDArray[np.float64]
StateArrays = list[NDArray[Any]]  # float32, or whole numbers


@dataclass(frozen=True, slots=True)
class Trace:
    """What happens at each token of ``[rows, time]`` sequences.

    ``before``: the states that the token meets, ``[rows, time, …]`` each, float32 or whole numbers. ``after``: the
    states that it leaves, in float64 where those are float32. ``hidden``: what the logits are made of, float64
    ``[rows, time, hidden]``.
    """

    before: StateArrays
    after: list[NDArray[Any]]
    hidden: Doubles

    def __getitem__(self, chosen: Any) -> Trace:
        """Return what happens at some of the tokens."""
        return Trace([s[chosen] for s in self.before], [s[chosen] for s in self.after], self.hidden[chosen])


class DoublePrecision:
    """A network that shares the weights of a Keras one. Raises ExportError for a layer that it does not know."""

    def __init__(self, network: keras.Model) -> None:
        self._network = network
        try:
            self._layers = [steps_of(layer) for layer in network.layers[1:-1]]
        except UnknownLayer as error:
            raise ExportError(f"{error} cannot be checked after export") from error

    @property
    def constants(self) -> frozenset[float]:
        """The fractional numbers that the steps compute with beside their weights."""
        return frozenset(number for layer in self._layers for number in layer.constants)

    def initial_states(self, rows: int) -> StateArrays:
        """Return the states before the first token, ``[rows, …]`` each."""
        return [state.zeros(rows) for layer in self._layers for state in layer.states]

    def run(self, tokens: NDArray[np.int64], states: StateArrays | None = None) -> Trace:
        """Feed tokens ``[rows, time]``. Between two tokens the states are rounded to float32, as a file's are.

        So each step is exact but for its rounded beginning, from which a file can be let take it too.
        """
        waiting = iter(self.initial_states(len(tokens)) if states is None else states)
        trace = Trace([], [], np.zeros(0))
        hidden: NDArray[Any] = tokens
        for layer in self._layers:
            taken = [next(waiting) for _ in layer.states]
            hidden = _carried(layer.exact(), hidden, taken, trace) if taken else layer.exact()(hidden, [])[0]
        return Trace(trace.before, trace.after, hidden)

    def logits(self, hidden: Doubles, columns: slice = slice(None)) -> Doubles:
        """Return logits ``[…, columns]`` of the hidden values of a trace, a part of the vocabulary."""
        last = self._network.layers[-1]
        if isinstance(last, LogitBias):
            kernel = np.asarray(self._network.get_layer("embedding").embeddings)[columns].T
        else:
            kernel = np.asarray(last.kernel)[:, columns]
        logits: Doubles = hidden @ kernel.astype(np.float64) + np.asarray(last.bias)[columns]
        return logits


def _carried(step: ExactStep, inputs: NDArray[Any], states: StateArrays, trace: Trace) -> NDArray[Any]:
    """Return the outputs ``[rows, time, …]`` of a layer with states, and note these in the trace."""
    outputs, befores, afters = list[NDArray[Any]](), list[StateArrays](), list[list[NDArray[Any]]]()
    for t in range(inputs.shape[1]):
        befores.append(states)
        output, following = step(inputs[:, t], [_widened(state) for state in states])
        outputs.append(output)
        afters.append(following)
        with np.errstate(over="ignore"):  # a diverged network, which is refused by its figures
            states = [after.astype(state.dtype) for after, state in zip(following, states, strict=True)]
    trace.before.extend(np.stack(each, axis=1) for each in zip(*befores, strict=True))
    trace.after.extend(np.stack(each, axis=1) for each in zip(*afters, strict=True))
    return np.stack(outputs, axis=1)


def _widened(state: NDArray[Any]) -> NDArray[Any]:
    """Return a state of fractional numbers in float64."""
    return state.astype(np.float64) if state.dtype.kind == "f" else state
