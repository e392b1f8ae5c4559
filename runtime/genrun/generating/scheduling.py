"""Any number of rows through batches of bounded size, which are run side by side where there are several."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from genrun.generating.batch import Batch
from genrun.generating.row import Row
from genrun.generating.threads import Lanes, Work

__all__ = ["generate_rows"]

_TOGETHER = 16  # rows that are dealt to one batch, before the next one gets any
_LEAD = 64  # rows that may wait for a batch before the others wait for it, too

Take = Callable[[int], Sequence[Row]]


def generate_rows(
    batches: Sequence[Batch], take: Take, lanes: Lanes | None = None, *, ahead: bool = False, dealt: bool = False
) -> Iterator[Row]:
    """Generate any number of rows; yields them as they finish.

    ``take(count)`` hands out at most ``count`` more rows; none, while no row is left in a batch, is the end. Several
    batches need ``lanes`` to run on. ``ahead``: half as many rows as there are places may be taken before there is
    one, so that a batch goes on by itself for a while. ``dealt``: the batches are dealt their rows in turn, so that
    which rows meet in one depends on no clock as long as the lanes keep about the same pace.
    """
    if len(batches) == 1 or lanes is None:
        [batch] = batches
        while True:
            batch.admit(take(batch.size - len(batch)))
            if not len(batch):
                return
            yield from batch.advance()
    hand = _Dealer(take, len(batches)).hand if dealt else lambda _, count: take(count)
    idle, going = list(range(len(batches))), dict[Work[list[Row]], int]()
    try:
        while True:
            for number in idle.copy():
                batch = batches[number]
                batch.admit(hand(number, batch.size - len(batch)))
                if len(batch):
                    idle.remove(number)
                    going[lanes.begin(batch.advance_on)] = number
            if not going:
                return
            for number in going.values() if ahead else ():
                room = batches[number].size * 3 // 2 - len(batches[number])
                batches[number].admit(hand(number, max(0, room)))
            work = lanes.first(going)
            idle.append(going.pop(work))
            yield from work.result()
    except Exception:  # what is finished must not be lost
        _halt(batches)
        for work in going:
            yield from work.outcome() or ()
        raise
    finally:  # nobody is waited for: this may run on a lane itself, where an abandoned generator is collected
        _halt(batches)


def _halt(batches: Sequence[Batch]) -> None:
    for batch in batches:
        batch.halted = True


class _Dealer:
    """Deals rows to so many batches in turn, some at a time: a few rows are best kept together."""

    def __init__(self, take: Take, batches: int) -> None:
        self._take = take
        self._hands = [deque[Row]() for _ in range(batches)]
        self._dealt = 0

    def hand(self, number: int, count: int) -> list[Row]:
        """Return at most ``count`` rows of the batch with that number."""
        hand = self._hands[number]
        while len(hand) < count and max(map(len, self._hands)) <= _LEAD:
            wanted = (count - len(hand)) * len(self._hands)
            rows = self._take(wanted)
            for row in rows:
                self._hands[self._dealt // _TOGETHER % len(self._hands)].append(row)
                self._dealt += 1
            if len(rows) < wanted:
                break
        return [hand.popleft() for _ in range(min(count, len(hand)))]
