"""The decoding loop: rows of different lengths in one batch, each fed its prompt, then its own choices.

A row joins with its prompt, starts to generate as soon as its own prompt is used up, and leaves when it is
finished; no step is spent on padding or on rows that are done. :mod:`genrun.choosing` chooses the tokens.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from genrun.choosing.builtin_chooser import OptionsChoice, graph_options
from genrun.choosing.decoder_chooser import LogitsChoice
from genrun.contracts import Decoder
from genrun.generating.row import Row
from genrun.stepping.session import StepSession

__all__ = ["Batch", "Row"]

_STEPS = 16  # that a batch runs before anyone looks at it


class Batch:
    """Rows that are generated together, at most ``size`` at a time; what is admitted beyond waits for its place.

    ``in_graph`` False leaves every choice to the decoder, also where the graph could make it; True has the graph make
    it wherever it can; None is whatever is fastest.
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
        in_graph: bool | None = None,
    ) -> None:
        options = None if in_graph is False else graph_options(session, decoder)
        self._choice: OptionsChoice | LogitsChoice
        if options is not None:
            self._choice = OptionsChoice(session, options, suppressed_ids, in_graph=in_graph is True)
        else:
            self._choice = LogitsChoice(session, decoder, suppressed_ids, log_probabilities=log_probabilities)
        self.size = size
        self.halted = False  # whether it is to go on no more, which another thread may say
        self._stop_ids = frozenset(stop_ids)
        self._rows: list[Row] = []
        self._waiting: deque[Row] = deque()
        self._going = 0  # how many of the rows are not finished
        self._reading = False  # whether a row may still be in its prompt
        self._failure: Exception | None = None  # of a step behind those that have finished rows

    def __len__(self) -> int:
        """Return the number of rows that are not finished, waiting ones included."""
        return self._going + len(self._waiting)

    def admit(self, rows: Iterable[Row]) -> None:
        """Add rows; they start from their first prompt token."""
        self._waiting.extend(rows)

    def advance(self) -> list[Row]:
        """Run one step for every row; return the rows that it finished, which leave the batch."""
        if self._going < len(self._rows) or (self._waiting and self._going < self.size):
            self._regroup()
        tokens: NDArray[np.int64] | None = None  # each row its last choice
        ready: Sequence[int] = range(len(self._rows))
        if self._reading:
            tokens, ready = self._read_prompts()
        rows = self._rows
        finished = []
        for i, token in zip(ready, self._choice.step(tokens, ready), strict=True):
            row = rows[i]
            row.new_ids.append(token)
            if row.watch is not None:
                row.new_text = row.watch.push(token)
            if row.watch is not None and row.watch.stopped:
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

    def advance_on(self) -> list[Row]:
        """Run several steps, as long as every place is taken that was; return the rows that they finished."""
        finished: list[Row] = []
        if self._failure is not None:
            raise self._failure
        for _ in range(_STEPS):
            try:
                finished += self.advance()
            except Exception as error:
                if not finished:
                    raise
                self._failure = error  # is raised the next time: what is finished must not be lost
                break
            if self.halted or len(self._rows) - self._going > len(self._waiting):
                break
        return finished

    def _regroup(self) -> None:
        """Let finished rows go and new ones join, behind those that stay."""
        kept = [i for i, row in enumerate(self._rows) if not row.finish_reason]
        joining = [self._waiting.popleft() for _ in range(min(self.size - len(kept), len(self._waiting)))]
        now = time.perf_counter()
        for row in joining:
            row.admitted = now
        self._rows = [*(self._rows[i] for i in kept), *joining]
        self._choice.regroup(kept, self._rows)
        self._going = len(self._rows)
        self._reading = self._reading or bool(joining)

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
