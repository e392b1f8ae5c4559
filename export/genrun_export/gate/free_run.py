"""Texts from their beginning, by a file and by Keras: how far apart they come, and how likely both find the texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.errors import ExportError
from genrun.scoring.scores import log_softmax_at
from genrun_export.gate.file_step import FileStep
from genrun_export.gate.keras_step import KerasStep

__all__ = ["Likelihoods", "Position", "padded", "read_documents", "side_by_side"]

_ALLOWED = 1e-4  # the relative difference of perplexities
_SHARE = 4  # of the mean difference of a token's logarithm that rounding alone makes along a text


@dataclass(frozen=True, slots=True)
class Position:
    """The logits ``[rows, vocabulary]`` after token ``time`` of those texts, ``rows``, that have one there.

    ``file``: for each size of the batch, which changes how the file rounds.
    """

    rows: NDArray[np.int64]
    time: int
    file: list[NDArray[np.float32]]
    keras: NDArray[np.float32]

    @property
    def difference(self) -> float:
        """The largest difference of logits."""
        return float(np.max([np.abs(logits - self.keras).max() for logits in self.file]))


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """The logarithm of the probability of each predicted token of ``documents``, by ``file`` and ``keras``.

    They are float64 ``[tokens]``, document by document. ``largest_difference``: of a logit.
    """

    documents: int
    file: NDArray[np.float64]
    keras: NDArray[np.float64]
    largest_difference: float

    def perplexities(self) -> tuple[float, float]:
        """Return the perplexities by file and by Keras; 1 where nothing is predicted."""
        file, keras = (float(np.exp(-_mean(logs))) for logs in (self.file, self.keras))
        return file, keras

    def check(self, exact: NDArray[np.float64]) -> None:
        """Raise ExportError unless the perplexities agree.

        ``exact``: the logarithms in double precision. Where Keras's own rounding grows along the texts, what it
        makes of them is allowed too.
        """
        file, keras = self.perplexities()
        difference = abs(_mean(self.file) - _mean(self.keras))
        allowed = _ALLOWED + _SHARE * _mean(np.abs(self.keras - exact))
        if not difference <= allowed:  # also when it is not a number
            raise ExportError(
                f"refused: the perplexity of {self.documents} documents is {file:.6g} by the file and {keras:.6g} by "
                f"Keras, which is {difference:.1e} apart, more than {allowed:.1e}"
            )


def padded(texts: Sequence[tuple[int, ...]]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return texts as ``[texts, time]``, with token 0 behind the shorter ones, and where they have tokens."""
    lengths = np.array([len(text) for text in texts])
    real = np.arange(lengths.max()) < lengths[:, None]
    tokens = np.zeros(real.shape, np.int64)
    tokens[real] = np.concatenate(texts)
    return tokens, real


def side_by_side(
    file: FileStep, keras: KerasStep, texts: Sequence[tuple[int, ...]], batch_sizes: Sequence[int]
) -> Iterator[Position]:
    """Yield what both say after each token; the file reads the texts step by step, in batches of each size."""
    for first in range(0, len(texts), max(batch_sizes)):
        tokens, real = padded(texts[first : first + max(batch_sizes)])
        hidden = keras.read(tokens)
        states = [file.initial_states(len(tokens)) for _ in batch_sizes]
        for time in range(tokens.shape[1]):
            rows = np.flatnonzero(real[:, time])
            found = [
                _in_batches(file, tokens[:, time], carried, rows, size)
                for carried, size in zip(states, batch_sizes, strict=True)
            ]
            yield Position(first + rows, time, found, keras.logits(hidden[:, time])[rows])


def _in_batches(
    file: FileStep, tokens: NDArray[np.int64], states: list[NDArray[Any]], rows: NDArray[np.int64], size: int
) -> NDArray[np.float32]:
    """Feed the tokens of ``rows``, ``size`` at a time, change their states, and return the logits."""
    found = []
    for first in range(0, len(rows), size):
        part = rows[first : first + size]
        logits, left = file.step(tokens[part], [state[part] for state in states])
        for state, after in zip(states, left, strict=True):
            state[part] = after
        found.append(logits)
    return np.concatenate(found)


def read_documents(
    file: FileStep, keras: KerasStep, documents: Sequence[tuple[int, ...]], batch_size: int
) -> Likelihoods:
    """Return how likely documents are by both."""
    tokens, real = padded(documents)
    logs = np.zeros((2, *tokens.shape))
    largest = 0.0
    for at in side_by_side(file, keras, documents, [batch_size]):
        largest = float(np.maximum(largest, at.difference))
        if at.time + 1 == tokens.shape[1]:
            continue
        going = real[at.rows, at.time + 1]
        rows = at.rows[going]
        for which, logits in enumerate((at.file[0], at.keras)):
            logs[which, rows, at.time + 1] = log_softmax_at(logits[going], tokens[rows, at.time + 1])
    if not np.isfinite(largest):
        raise ExportError("refused: logits in the file are not numbers on documents")
    predicted = real[:, 1:]
    return Likelihoods(len(documents), logs[0, :, 1:][predicted], logs[1, :, 1:][predicted], largest)


def _mean(logs: NDArray[np.float64]) -> float:
    """Return the mean, 0 of nothing."""
    return float(logs.mean()) if len(logs) else 0.0
