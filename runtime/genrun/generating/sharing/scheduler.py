"""Deals texts to lanes: those that can take their steps together to one, as far as it pays."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING

from genrun.contracts import Decoder
from genrun.errors import GenrunError
from genrun.generating.generator import BATCH_SIZE
from genrun.generating.sharing.lane import Lane
from genrun.generating.sharing.ticket import Ticket
from genrun.generating.threads import forks

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from genrun.generating.batch import Batch

__all__ = ["Scheduler"]

_ENOUGH = 16  # rows in a lane before another one is started: fewer are not worth a thread


class Scheduler:
    """Generates texts that are submitted from any thread or event loop, in batches that they share.

    Texts share steps if their decoders have the same class and options; seed, length, stop texts and casing may
    differ. ``lanes``: how many batches with the same decoder run side by side, once each has 16 rows. A lane has at
    most 64 rows at a time; further texts wait in the order in which they came. There are threads only while there are
    texts.
    """

    def __init__(self, lanes: int) -> None:
        self._most_lanes = lanes
        self._state = _State()

    def __len__(self) -> int:
        """Return the number of unfinished texts; a server that must bound its queue can look here."""
        return sum([len(lane) for lanes in list(self._fresh().lanes.values()) for lane in list(lanes)])

    def submit(self, tickets: Iterable[Ticket]) -> None:
        """Have the texts of ``tickets`` generated. Returns at once; never raises for one of them."""
        state, started = self._fresh(), list[Lane]()
        with state.lock:
            for ticket in tickets:
                lane = self._lane_for(state, ticket, started)
                ticket.lane = lane
                lane.inbox.append(ticket)
        for lane in started:
            try:
                lane.start()
            except RuntimeError as error:
                with state.lock:
                    state.forget(lane)
                lane.fail(GenrunError(f"no thread can be started to generate: {error}"))

    def submit_soon(self, ticket: Ticket, loop: AbstractEventLoop) -> None:
        """Submit the text of ``ticket`` with all others of this turn of ``loop``, which must be the running one."""
        gathered = self._fresh().gathered.setdefault(loop, [])
        gathered.append(ticket)
        if len(gathered) == 1:
            loop.call_soon(self._submit_gathered, loop)

    def _submit_gathered(self, loop: AbstractEventLoop) -> None:
        self.submit(self._fresh().gathered.pop(loop, ()))

    def _fresh(self) -> _State:
        """Return the lanes of this process: a forked child has none of its parent's threads."""
        if self._state.forks != forks():
            self._state = _State()
        return self._state

    def _lane_for(self, state: _State, ticket: Ticket, started: list[Lane]) -> Lane:
        """Return the lane for a ticket, a new one if that is best; new ones are added to ``started``."""
        key = sharing_key(ticket.generator.settings.decoder)
        lanes = state.lanes.setdefault(key, [])
        filling = next((lane for lane in lanes if len(lane) < _ENOUGH), None)
        if filling is not None:
            return filling
        if len(lanes) < self._most_lanes:
            lane = Lane(_maker(ticket, first=not lanes), BATCH_SIZE, state.leaver(key))
            lanes.append(lane)
            started.append(lane)
            return lane
        return min(lanes, key=len)


class _State:
    """The lanes of one process, by what their texts have in common."""

    def __init__(self) -> None:
        self.forks = forks()
        self.lock = threading.RLock()  # a handler of a signal may submit a text, too
        self.lanes: dict[Hashable, list[Lane]] = {}
        self.gathered: dict[AbstractEventLoop, list[Ticket]] = {}

    def leaver(self, key: Hashable) -> Callable[[Lane], bool]:
        """Return the function by which a lane asks whether its thread may end."""

        def leave(lane: Lane) -> bool:
            with self.lock:
                if len(lane):
                    return False
                self.forget(lane, key)
                return True

        return leave

    def forget(self, lane: Lane, key: Hashable = None) -> None:
        """Give a lane no more texts."""
        for found in [key] if key in self.lanes else list(self.lanes):
            if lane in self.lanes[found]:
                self.lanes[found].remove(lane)
            if not self.lanes[found]:
                del self.lanes[found]


def _maker(ticket: Ticket, *, first: bool) -> Callable[[int], Batch]:
    """Return what makes the batches of a lane for ``ticket``: all lanes but the first have one thread a step.

    Beside an event loop the graph chooses wherever it can: NumPy would wait for Python's lock again and again.
    """
    generator = ticket.generator if ticket.loop is None else ticket.generator.choosing_with("graph")
    return lambda size: generator.batch(size, of=1 if first else 2, log_probabilities=True)


def sharing_key(decoder: Decoder) -> Hashable:
    """Return what is equal for decoders that choose alike: class and options, or else the object itself.

    >>> from genrun.registry import make_decoder
    >>> sharing_key(make_decoder("top-k", {"k": 5})) == sharing_key(make_decoder("top-k", {"k": 5}))
    True
    """
    try:
        return _plain(decoder)
    except TypeError:
        return _Same(decoder)


class _Same:
    """An object as a key: equal to itself alone, and kept alive."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self._value is other._value

    def __hash__(self) -> int:
        return id(self._value)


def _plain(value: object) -> Hashable:
    """Return a key for a dataclass of plain values, or of further ones; raises TypeError for anything else."""
    if value is None or type(value) in (int, float, str, bool):
        return type(value), repr(value)
    if type(value) is tuple:
        return tuple([_plain(part) for part in value])
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        raise TypeError
    names = [field.name for field in dataclasses.fields(value)]
    if not getattr(value, "__dict__", {}).keys() <= set(names):  # it keeps something besides its options
        raise TypeError
    return type(value), tuple([_plain(getattr(value, name)) for name in names])
