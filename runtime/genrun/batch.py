"""The decoding loop: rows of different lengths in one batch, each fed its prompt, then its own choices.

A row joins with its prompt, starts to generate as soon as its own prompt is used up, and leaves when it is
finished; no step is spent on padding or on rows that are done. How a token is chosen is a matter of
:mod:`genrun.graph_choice`, where model file and decoder can do it in the graph, and else of
:mod:`genrun.logits_choice`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Decoder
from genrun.graph_choice import GraphChoice, graph_options
from genrun.lanes import Begin, later
from genrun.logits_choice import LogitsChoice
from genrun.row import Row
from genrun.session import StepSession

__all__ = ["Batch", "Row", "generate_rows"]


class Batch:
    """The rows that are generated together, one step at a time.

    ``in_graph`` False leaves every choice to the decoder, also where the graph could make it.
    """

    def __init__(
        self,
        session: StepSession,
        decoder: Decoder,
        *,
        stop_ids: Sequence[int] = (),
        suppressed_ids: Sequence[int] = (),
        log_probabilities: bool = False,
        in_graph: bool = True,
    ) -> None:
        options = graph_options(session, decoder) if in_graph else None
        self._choice: GraphChoice | LogitsChoice
        if options is not None:
            self._choice = GraphChoice(session, options, suppressed_ids)
        else:
            self._choice = LogitsChoice(session, decoder, suppressed_ids, log_probabilities=log_probabilities)
        self._stop_ids = frozenset(stop_ids)
        self._rows: list[Row] = []
        self._joining: list[Row] = []
        self._going = 0  # how many of the rows are not finished
        self._reading = False  # whether a row may still be in its prompt
        self._ready: Sequence[int] = ()  # the rows that choose in the step that has been started

    def __len__(self) -> int:
        """Return the number of rows that are not finished."""
        return self._going + len(self._joining)

    def admit(self, rows: Sequence[Row]) -> None:
        """Add rows; they start from their first prompt token."""
        now = time.perf_counter()
        for row in rows:
            row.admitted = now
        self._joining.extend(rows)

    def advance(self) -> list[Row]:
        """Run one step for every row; return the rows that it finished, which leave the batch."""
        self.start()
        return self.finish()

    def start(self, begin: Begin = later) -> None:
        """Start a step for every row; ``begin`` runs it on a thread, or when it is to be finished."""
        if self._joining or self._going < len(self._rows):
            self._regroup()
        tokens: NDArray[np.int64] | None = None  # each row its last choice
        self._ready = range(len(self._rows))
        if self._reading:
            tokens, self._ready = self._read_prompts()
        self._choice.start(tokens, self._ready, begin)

    def finish(self) -> list[Row]:
        """Wait for the step that was started; return the rows that it finished, which leave the batch."""
        rows = self._rows
        finished = []
        for i, token in zip(self._ready, self._choice.finish(), strict=True):
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

    def _regroup(self) -> None:
        """Let finished rows go and new ones join, behind those that stay."""
        kept = [i for i, row in enumerate(self._rows) if not row.finish_reason]
        self._rows = [*(self._rows[i] for i in kept), *self._joining]
        self._choice.regroup(kept, self._rows)
        self._going = len(self._rows)
        self._reading = self._reading or bool(self._joining)
        self._joining = []

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


def generate_rows(
    batches: Sequence[Batch], take: Callable[[int], Sequence[Row]], *, batch_size: int, begin: Begin = later
) -> Iterator[Row]:
    """Generate any number of rows through ``batches`` of ``batch_size`` together; yields them as they finish.

    ``take(count)`` hands out at most ``count`` more rows; none, while no row is left in a batch, is the end. All
    batches have a step going, begun by ``begin`` unless there is but one, and are finished in turn.
    """
    idle, going = deque(_sizes(batches, batch_size)), deque[tuple[Batch, int]]()
    while True:
        for _ in range(len(idle)):
            batch, size = idle.popleft()
            batch.admit(take(size - len(batch)))
            if len(batch):
                batch.start(begin if going else later)
                going.append((batch, size))
            else:
                idle.append((batch, size))
        if not going:
            return
        idle.append(going.popleft())
        yield from idle[-1][0].finish()


def _sizes(batches: Sequence[Batch], batch_size: int) -> Iterator[tuple[Batch, int]]:
    """Yield each batch with its share of ``batch_size`` rows."""
    for i, batch in enumerate(batches):
        yield batch, (batch_size + i) // len(batches)
