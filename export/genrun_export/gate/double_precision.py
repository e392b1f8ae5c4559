"""A network in double precision, in NumPy: what it would compute if float32 did not round.

One layer after the other, so that only one layer's weights are there in double precision. The cells are Keras's:
LSTM (Hochreiter & Schmidhuber 1997), GRU with the reset gate behind the product (Cho et al. 2014, "reset_after"),
and the simple recurrent network of Elman 1990.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from genrun.errors import ExportError
from genrun_core.network.layers import EmbeddingDropout, LastTokens, LogitBias

__all__ = ["DoublePrecision", "StateArrays", "Trace"]

Doubles = NDArray[np.float64]
StateArrays = list[NDArray[Any]]  # float32, or whole numbers
Cell = Callable[[Doubles, list[Doubles]], list[Doubles]]  # input and states → next states, the output first


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
        self._layers = [layer for layer in network.layers[:-1] if not isinstance(layer, _IDLE)]
        for layer in self._layers:
            if not isinstance(layer, _KNOWN):
                raise ExportError(f"layer {layer.name!r} ({type(layer).__name__}) cannot be checked after export")

    def initial_states(self, rows: int) -> StateArrays:
        """Return the states before the first token, ``[rows, …]`` each."""
        states: StateArrays = []
        for layer in self._layers:
            if isinstance(layer, keras.layers.RNN):
                sizes = np.atleast_1d(layer.cell.state_size)
                states += [np.zeros((rows, int(size)), np.float32) for size in sizes]
            elif isinstance(layer, LastTokens) and layer.count > 1:
                states.append(np.zeros((rows, layer.count - 1), np.int64))
        return states

    def run(self, tokens: NDArray[np.int64], states: StateArrays | None = None) -> Trace:
        """Feed tokens ``[rows, time]``. Between two tokens the states are rounded to float32, as a file's are.

        So each step is exact but for its rounded beginning, from which a file can be let take it too.
        """
        waiting = iter(self.initial_states(len(tokens)) if states is None else states)
        trace = Trace([], [], np.zeros(0))
        hidden: NDArray[Any] = tokens
        for layer in self._layers:
            if isinstance(layer, LastTokens):
                hidden = _windows(tokens, layer.count, waiting, trace)
            elif isinstance(layer, keras.layers.Embedding):
                hidden = np.asarray(layer.embeddings)[hidden].astype(np.float64)
            elif isinstance(layer, keras.layers.Reshape):
                hidden = hidden.reshape(*tokens.shape, -1)
            elif isinstance(layer, keras.layers.Dense):
                hidden = _dense(layer, hidden)
            else:
                count = len(np.atleast_1d(layer.cell.state_size))
                hidden = _recurrent(layer, hidden, [next(waiting) for _ in range(count)], trace)
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


_IDLE = (keras.layers.InputLayer, keras.layers.Dropout, EmbeddingDropout)
_KNOWN = (
    keras.layers.Embedding,
    keras.layers.LSTM,
    keras.layers.GRU,
    keras.layers.SimpleRNN,
    keras.layers.Reshape,
    keras.layers.Dense,
    LastTokens,
)


def _windows(
    tokens: NDArray[np.int64], count: int, waiting: Iterator[NDArray[np.int64]], trace: Trace
) -> NDArray[np.int64]:
    """Return the last ``count`` tokens at each place, ``[rows, time, count]``, and note them in the trace."""
    if count == 1:
        return tokens[:, :, None]
    joined = np.concatenate([next(waiting), tokens], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(joined, count, axis=1)
    trace.before.append(windows[:, :, :-1])
    trace.after.append(windows[:, :, 1:])
    return windows


def _dense(layer: keras.layers.Dense, hidden: Doubles) -> Doubles:
    values: Doubles = hidden @ np.asarray(layer.kernel).astype(np.float64)
    if layer.use_bias:
        values += np.asarray(layer.bias)
    return _activation(layer.activation)(values)


def _recurrent(layer: keras.layers.RNN, inputs: Doubles, states: list[NDArray[np.float32]], trace: Trace) -> Doubles:
    """Return the outputs ``[rows, time, units]`` of a recurrent layer, and note its states in the trace."""
    rows, time = inputs.shape[:2]
    cell = _cell(layer.cell)
    before = [np.empty((rows, time, state.shape[1]), np.float32) for state in states]
    after = [np.empty((rows, time, state.shape[1])) for state in states]
    for t in range(time):
        following = cell(inputs[:, t], [state.astype(np.float64) for state in states])
        for k, state in enumerate(states):
            before[k][:, t], after[k][:, t] = state, following[k]
        with np.errstate(over="ignore"):  # a diverged network, which is refused by its figures
            states = [state.astype(np.float32) for state in following]
    trace.before.extend(before)
    trace.after.extend(after)
    return after[0]


def _cell(cell: keras.layers.Layer) -> Cell:
    """Return a step of a recurrent layer."""
    kernel, recurrent, bias = (
        np.asarray(weight).astype(np.float64) for weight in (cell.kernel, cell.recurrent_kernel, cell.bias)
    )
    squash = _activation(cell.activation)

    def simple(inputs: Doubles, states: list[Doubles]) -> list[Doubles]:
        return [squash(inputs @ kernel + states[0] @ recurrent + bias)]

    def lstm(inputs: Doubles, states: list[Doubles]) -> list[Doubles]:
        i, f, g, o = np.split(inputs @ kernel + states[0] @ recurrent + bias, 4, axis=1)
        c = gate(f) * states[1] + gate(i) * squash(g)
        return [gate(o) * squash(c), c]

    def gru(inputs: Doubles, states: list[Doubles]) -> list[Doubles]:
        z, r, candidate = np.split(inputs @ kernel + bias[0], 3, axis=1)
        of_z, of_r, of_candidate = np.split(states[0] @ recurrent + bias[1], 3, axis=1)
        z, r = gate(z + of_z), gate(r + of_r)
        return [z * states[0] + (1 - z) * squash(candidate + r * of_candidate)]

    if isinstance(cell, keras.layers.SimpleRNNCell):
        return simple
    gate = _activation(cell.recurrent_activation)
    return lstm if isinstance(cell, keras.layers.LSTMCell) else gru


def _activation(function: Callable[..., object]) -> Callable[[Doubles], Doubles]:
    """Return a Keras activation in double precision."""
    known: dict[str, Callable[[Doubles], Doubles]] = {"tanh": np.tanh, "sigmoid": _sigmoid, "linear": np.asarray}
    return known[function.__name__]


def _sigmoid(values: Doubles) -> Doubles:
    """Return 1 / (1 + exp(-values)), without overflow.

    >>> _sigmoid(np.array([0.0, -2000.0]))
    array([0.5, 0. ])
    """
    halved: Doubles = 0.5 * (1 + np.tanh(0.5 * values))
    return halved
