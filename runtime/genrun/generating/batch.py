"""The decoding loop: rows of different lengths in one batch, each fed its prompt, then its own choices.

    while there are rows:
        drop the finished rows; let waiting rows take their places
        for each row:
            token = the next one of its prompt, or the token it chose last
        logits, states = model(tokens, states)
        for each row whose prompt is used up:
            token, log_probability = choose(logits, one random draw)
            if it would end a text that has no token yet: choose another one
            append the token to the row, and to its text
            if a stop text has appeared:      the row is finished ("stop")
            elif it is an end token:          the row is finished ("end")
            elif the row has enough tokens:   the row is finished ("length")

No step is spent on padding or on finished rows. :class:`~genrun.generating.choosing.chooser.Chooser` runs the model
and chooses.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Decoder
from genrun.generating.choosing.chooser import Chooser
from genrun.generating.choosing.policy import ChooseWith
from genrun.generating.choosing.tokens import Tokens
from genrun.generating.row import Row
from genrun.generating.stepping.session import StepSession

__all__ = ["Batch", "Row"]

_STEPS_PER_TURN = 16


class Batch:
    """Rows that are generated together, at most ``size`` at a time; further rows wait for a place.

    ``choose_with`` as for :class:`~genrun.generating.choosing.chooser.Chooser`.
    """

    def __init__(
        self,
        session: StepSession,
        decoder: Decoder,
        *,
        size: int,
        stop_ids: Sequence[int] = (),
        suppressed_ids: Sequence[int] = (),
        log_probabilities: bool = False,
        choose_with: ChooseWith = "auto",
    ) -> None:
        self._chooser = Chooser(
            session, decoder, suppressed_ids, log_probabilities=log_probabilities, choose_with=choose_with
        )
        self.size = size
        self.halted = False  # another thread sets it to end this turn early
        self._stop_ids = frozenset(stop_ids)
        self._rows: list[Row] = []
        self._waiting: deque[Row] = deque()
        self._going = 0  # rows that are not finished
        self._reading = False  # whether a row may still be in its prompt
        self._repeating = False  # whether a row may still repeat the end of its prompt
        self._beginning = False  # whether a row may still have no token of its text
        self._failure: Exception | None = None  # raised by the next turn

    def __len__(self) -> int:
        """Return the number of rows that are not finished, waiting ones included."""
        return self._going + len(self._waiting)

    def admit(self, rows: Iterable[Row]) -> None:
        """Add rows; they start from their first prompt token."""
        self._waiting.extend(rows)

    def remove(self, row: Row) -> None:
        """Take out an unfinished row: its place is free before the next step."""
        if row in self._waiting:
            self._waiting.remove(row)
        else:
            row.finish_reason = "cancelled"
            self._going -= 1

    def advance(self) -> list[Row]:
        """Run one step for every row; return the rows that it finished, which leave the batch."""
        if self._going < len(self._rows) or (self._waiting and self._going < self.size):
            self._replace_finished()
        tokens: NDArray[np.int64] | None = None  # each row its last choice
        ready: Sequence[int] = range(len(self._rows))
        if self._reading:
            tokens, ready = self._read_prompts()
        rows = self._rows if len(ready) == len(self._rows) else [self._rows[i] for i in ready]
        allowed = self._allowed(rows) if self._repeating else None
        ids, logs = self._chooser.step(tokens, ready, [next(row.draws) for row in rows], allowed)
        if allowed is not None:
            self._repeat(rows, ids)
        if self._beginning:
            self._begin(rows, ready, ids, logs)
        finished = []
        for row, token, log in zip(rows, ids, logs, strict=True):
            row.new_ids.append(token)
            row.log_probability += log
            if row.text_stream is not None:
                row.new_text = row.text_stream.push(token)
            if row.text_stream is not None and row.text_stream.stopped:
                row.finish_reason = "stop"
            elif token in self._stop_ids:
                row.finish_reason = "end"
            elif len(row.new_ids) == row.max_new_tokens:
                row.finish_reason = "length"
            else:
                continue
            row.finished = time.perf_counter()
            finished.append(row)
        self._going -= len(finished)
        return finished

    def run_steps(self) -> list[Row]:
        """Run several steps, until more rows are finished than wait to replace them; return the finished rows."""
        finished: list[Row] = []
        if self._failure is not None:
            raise self._failure
        for _ in range(_STEPS_PER_TURN):
            try:
                finished += self.advance()
            except Exception as error:
                if not finished:
                    raise
                self._failure = error  # finished rows must not be lost
                break
            if self.halted or len(self._rows) - self._going > len(self._waiting):
                break
        return finished

    def _replace_finished(self) -> None:
        """Drop finished rows; new ones join behind those that stay."""
        kept = [i for i, row in enumerate(self._rows) if not row.finish_reason]
        joining = [self._waiting.popleft() for _ in range(min(self.size - len(kept), len(self._waiting)))]
        now = time.perf_counter()
        for row in joining:
            row.admitted = now
        self._rows = [*(self._rows[i] for i in kept), *joining]
        self._chooser.replace_finished(kept, [Tokens(row.prompt_ids, row.new_ids) for row in joining])
        self._going = len(self._rows)
        self._reading = self._reading or bool(joining)
        self._repeating = self._repeating or any(row.open_prompt for row in joining)
        self._beginning = self._beginning or any(row.from_nothing for row in joining)

    def _allowed(self, rows: Sequence[Row]) -> list[NDArray[np.int64] | None] | None:
        """Return which tokens each of ``rows`` may choose, None for all; None if that is so for all rows."""
        allowed = [row.open_prompt.allowed() if row.open_prompt else None for row in rows]
        return allowed if any(each is not None for each in allowed) else None

    def _repeat(self, rows: Sequence[Row], ids: Sequence[int]) -> None:
        for row, token in zip(rows, ids, strict=True):
            if row.open_prompt:
                row.open_prompt.push(token)
        self._repeating = any(row.open_prompt for row in self._rows)

    def _begin(self, rows: Sequence[Row], ready: Sequence[int], ids: list[int], logs: list[float]) -> None:
        """Choose again, with another draw, for each of ``rows`` that would end before its first token."""
        for i, (row, token) in enumerate(zip(rows, ids, strict=True)):
            if row.from_nothing and not row.new_ids and token in self._stop_ids:
                text = Tokens(row.prompt_ids, row.new_ids)
                again = self._chooser.choose_again(ready[i], text, row.draws, self._stop_ids)
                ids[i], logs[i] = again or (token, logs[i])
        self._beginning = self._reading

    def _read_prompts(self) -> tuple[NDArray[np.int64], list[int]]:
        """Return the next token of each row, int64 ``[batch]``, and which rows choose after it."""
        tokens, ready = [], []
        for i, row in enumerate(self._rows):
            if row.fed < len(row.prompt_ids):
                tokens.append(row.prompt_ids[row.fed])
                row.fed += 1
            else:
                tokens.append(row.new_ids[-1])
            if row.fed == len(row.prompt_ids):
                ready.append(i)
        self._reading = len(ready) < len(self._rows)
        return np.array(tokens, np.int64), ready
