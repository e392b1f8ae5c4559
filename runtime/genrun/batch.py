"""The decoding loop: rows of different lengths in one batch, each fed its prompt, then its own choices.

A row joins with its prompt, starts to generate as soon as its own prompt is used up, and leaves when it is
finished; no step is spent on padding or on rows that are done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Decoder
from genrun.errors import GenrunError, ModelFileError, PluginError, one_line
from genrun.session import StepSession
from genrun.text_stream import TextStream

__all__ = ["Batch", "Row", "generate_rows"]

_NOT_NUMBERS = "the model's logits are not numbers: the file is damaged, or its training went wrong"


@dataclass(slots=True, eq=False)
class Row:
    """One text in the making.

    ``draws`` yields one uniform number per new token. ``watch`` sees every new token and
    stops the row at a stop text. ``finish_reason``: ``end`` (an end token), ``stop`` (a stop text), ``length``.
    """

    prompt_ids: Sequence[int]
    draws: Iterator[float]
    max_new_tokens: int
    watch: TextStream | None = None
    new_ids: list[int] = field(default_factory=list)
    new_text: str = ""
    log_probability: float = 0.0
    finish_reason: str = ""


class _History(Sequence[NDArray[np.int64]]):
    """The tokens so far of the rows that choose now, one array per row, made only when looked at."""

    def __init__(self, tokens: NDArray[np.int64], lengths: NDArray[np.int64], rows: NDArray[np.intp]) -> None:
        self._tokens, self._lengths, self._rows = tokens, lengths, rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> NDArray[np.int64]: ...
    @overload
    def __getitem__(self, index: slice) -> list[NDArray[np.int64]]: ...
    def __getitem__(self, index: int | slice) -> NDArray[np.int64] | list[NDArray[np.int64]]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        row = self._rows[index]
        view = self._tokens[row, : self._lengths[row]]
        view.flags.writeable = False
        return view


class Batch:
    """The rows that are generated together, one step at a time."""

    def __init__(
        self,
        session: StepSession,
        decoder: Decoder,
        *,
        stop_ids: Sequence[int] = (),
        suppressed_ids: Sequence[int] = (),
        log_probabilities: bool = False,
    ) -> None:
        self._session = session
        self._decoder = decoder
        self._stop_ids = np.asarray(stop_ids, np.int64)
        self._suppressed = np.asarray(suppressed_ids, np.int64)
        self._log_probabilities = log_probabilities
        self._rows: list[Row] = []
        self._states = session.initial_states(0)
        self._tokens = np.zeros((0, 1), np.int64)  # [batch, capacity]: prompt, then new tokens
        self._lengths = np.zeros(0, np.int64)  # [batch]: how many of them are known
        self._room = np.zeros(0, np.int64)  # [batch]: the length at which a row is full
        self._position = np.zeros(0, np.int64)  # [batch]: how many have been fed

    def __len__(self) -> int:
        """Return the number of rows that are not finished."""
        return len(self._rows)

    def admit(self, rows: Sequence[Row]) -> None:
        """Add rows; they start from their first prompt token."""
        if not rows:
            return
        capacity = max(self._tokens.shape[1], *(len(row.prompt_ids) + 1 for row in rows))
        grown = np.zeros((len(self) + len(rows), capacity), np.int64)
        grown[: len(self), : self._tokens.shape[1]] = self._tokens
        for i, row in enumerate(rows, len(self)):
            grown[i, : len(row.prompt_ids)] = row.prompt_ids
        lengths = np.array([len(row.prompt_ids) for row in rows], np.int64)
        self._tokens = grown
        self._lengths = np.concatenate([self._lengths, lengths])
        self._room = np.concatenate([self._room, lengths + [row.max_new_tokens for row in rows]])
        self._position = np.concatenate([self._position, np.zeros(len(rows), np.int64)])
        fresh = self._session.initial_states(len(rows))
        self._states = [np.concatenate(pair) for pair in zip(self._states, fresh, strict=True)]
        self._rows.extend(rows)

    def advance(self) -> list[Row]:
        """Run one step for every row; return the rows that it finished, which leave the batch."""
        tokens = self._tokens[np.arange(len(self)), self._position]
        logits, self._states = self._session.step(tokens, self._states)
        self._position += 1
        ready = np.flatnonzero(self._position == self._lengths)
        if not len(ready):
            return []
        chosen = self._choose(logits if len(ready) == len(self) else logits[ready], ready)
        self._make_room()
        self._tokens[ready, self._lengths[ready]] = chosen
        self._lengths[ready] += 1
        return self._retire(ready, chosen)

    def _make_room(self) -> None:
        """Double the columns for tokens when the longest row has filled them."""
        batch, capacity = self._tokens.shape
        if self._lengths.max() == capacity:
            self._tokens = np.concatenate([self._tokens, np.zeros((batch, capacity), np.int64)], axis=1)

    def _choose(self, logits: NDArray[np.float32], ready: NDArray[np.intp]) -> NDArray[np.int64]:
        """Return the next ids of the rows ``ready``, int64 ``[len(ready)]``."""
        highest = logits.max(axis=1, keepdims=True)
        if not np.isfinite(highest).all():  # the highest of numbers with a NaN among them is NaN
            raise ModelFileError(_NOT_NUMBERS)
        normalizer = _log_sum_exp(logits, highest) if self._log_probabilities else None
        raw = logits.copy() if normalizer is not None else logits
        if len(self._suppressed):
            logits[:, self._suppressed] = -np.inf
        rows = [self._rows[i] for i in ready]
        draws = np.array([next(row.draws) for row in rows], np.float32)
        history = _History(self._tokens, self._lengths, ready)
        try:
            answer = self._decoder.choose(logits, history, draws)
        except GenrunError:
            raise
        except Exception as error:  # the decoder may be anyone's
            name = type(self._decoder).__name__
            raise PluginError(f"decoder {name} failed: {type(error).__name__}: {one_line(error)}") from error
        chosen = self._checked(answer, logits.shape)
        if normalizer is not None:
            for i, row in enumerate(rows):
                row.log_probability += float(raw[i, chosen[i]] - normalizer[i])
        return chosen

    def _checked(self, chosen: object, shape: tuple[int, ...]) -> NDArray[np.int64]:
        """Hold the decoder to its contract, so that a wrong one is an error rather than a wrong text."""
        batch, vocabulary = shape
        name = type(self._decoder).__name__
        if not isinstance(chosen, np.ndarray) or chosen.shape != (batch,) or chosen.dtype.kind not in "iu":
            returned = f"{chosen.dtype} {list(chosen.shape)}" if isinstance(chosen, np.ndarray) else repr(chosen)
            raise PluginError(f"decoder {name} must return {batch} token ids as an integer array, not {returned}")
        if chosen.min() < 0 or chosen.max() >= vocabulary:
            wrong = chosen[(chosen < 0) | (chosen >= vocabulary)][0]
            raise PluginError(f"decoder {name} chose the token {wrong}, outside 0 … {vocabulary - 1}")
        if len(self._suppressed) and np.isin(chosen, self._suppressed).any():
            raise PluginError(f"decoder {name} chose a token that must not be chosen (its logit is minus infinity)")
        return chosen.astype(np.int64, copy=False)

    def _retire(self, ready: NDArray[np.intp], chosen: NDArray[np.int64]) -> list[Row]:
        ended = np.isin(chosen, self._stop_ids)
        full = self._lengths[ready] == self._room[ready]
        done: list[int] = []
        for i, token, at_end, at_length in zip(
            ready.tolist(), chosen.tolist(), ended.tolist(), full.tolist(), strict=True
        ):
            row = self._rows[i]
            row.new_ids.append(token)
            if row.watch is not None:
                row.new_text = row.watch.push(token)
            if row.watch is not None and row.watch.stopped:
                row.finish_reason = "stop"
            elif at_end:
                row.finish_reason = "end"
            elif at_length:
                row.finish_reason = "length"
            else:
                continue
            done.append(i)
        if not done:
            return []
        finished = [self._rows[i] for i in done]
        self._keep(np.delete(np.arange(len(self)), done))
        return finished

    def _keep(self, kept: NDArray[np.intp]) -> None:
        self._rows = [self._rows[i] for i in kept]
        self._tokens, self._lengths = self._tokens[kept], self._lengths[kept]
        self._room, self._position = self._room[kept], self._position[kept]
        self._states = [state[kept] for state in self._states]


def generate_rows(batch: Batch, take: Callable[[int], Sequence[Row]], *, batch_size: int) -> Iterator[Row]:
    """Generate any number of rows through a batch of at most ``batch_size``; yields them as they finish.

    ``take(count)`` hands out at most ``count`` more rows; none, while no row is left in the batch, is the end.
    """
    while True:
        batch.admit(take(batch_size - len(batch)))
        if not len(batch):
            return
        yield from batch.advance()


def _log_sum_exp(logits: NDArray[np.float32], highest: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return log Σ exp over the vocabulary, float64 ``[batch]``; ``highest`` is each row's, ``[batch, 1]``."""
    total = np.exp(logits - highest).sum(axis=1, dtype=np.float64)
    result: NDArray[np.float64] = highest[:, 0] + np.log(total)
    return result
