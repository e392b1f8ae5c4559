"""Any number of rows through batches of bounded size, which are run side by side where there are several."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from genrun.generating.batch import Batch
from genrun.generating.row import Row
from genrun.generating.threads import BatchThreads, PendingResult

__all__ = ["generate_rows"]

_ROWS_AT_ONCE = 16  # dealt to one batch before the next one gets any
_MAX_LEAD = 64  # rows that may wait for a batch before the others wait for it, too

Take = Callable[[int], Sequence[Row]]


def generate_rows(
    batches: Sequence[Batch],
    take: Take,
    threads: BatchThreads | None = None,
    *,
    prefetch: bool = False,
    round_robin: bool = False,
) -> Iterator[Row]:
    """Generate any number of rows; yields them as they finish.

    ``take(count)`` returns at most ``count`` more rows; the end is when it returns none and no row is left in a
    batch. Several batches need ``threads``. ``prefetch``: a batch may take half as many rows again as it has places,
    so that it need not ask for more after each. ``round_robin``: the batches get their rows in turn. So which rows
    meet in one depends on no clock, as long as the threads keep about the same pace.
    """
    if len(batches) == 1 or threads is None:
        [batch] = batches
        while True:
            batch.admit(take(batch.size - len(batch)))
            if not len(batch):
                return
            yield from batch.advance()
    hand = _Dealer(take, len(batches)).hand if round_robin else lambda _, count: take(count)
    idle, going = list(range(len(batches))), dict[PendingResult[list[Row]], int]()
    try:
        while True:
            for number in idle.copy():
                batch = batches[number]
                batch.admit(hand(number, batch.size - len(batch)))
                if len(batch):
                    idle.remove(number)
                    going[threads.begin(batch.run_steps)] = number
            if not going:
                return
            for number in going.values() if prefetch else ():
                room = batches[number].size * 3 // 2 - len(batches[number])
                batches[number].admit(hand(number, max(0, room)))
            turn = threads.first(going)
            idle.append(going.pop(turn))
            yield from turn.result()
    except Exception:  # finished rows must not be lost
        _halt(batches)
        for turn in going:
            yield from turn.outcome() or ()
        raise
    finally:  # without waiting: the garbage collector may close this generator on one of the threads
        _halt(batches)


def _halt(batches: Sequence[Batch]) -> None:
    for batch in batches:
        batch.halted = True


class _Dealer:
    """Deals rows to several batches in turn, some at a time: a few rows are best kept together."""

    def __init__(self, take: Take, batches: int) -> None:
        self._take = take
        self._hands = [deque[Row]() for _ in range(batches)]
        self._dealt = 0

    def hand(self, number: int, count: int) -> list[Row]:
        """Return at most ``count`` rows of the batch with that number."""
        hand = self._hands[number]
        while len(hand) < count and max(map(len, self._hands)) <= _MAX_LEAD:
            wanted = (count - len(hand)) * len(self._hands)
            rows = self._take(wanted)
            for row in rows:
                self._hands[self._dealt // _ROWS_AT_ONCE % len(self._hands)].append(row)
                self._dealt += 1
            if len(rows) < wanted:
                break
        return [hand.popleft() for _ in range(min(count, len(hand)))]
