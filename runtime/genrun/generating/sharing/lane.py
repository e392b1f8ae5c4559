"""A thread that runs batches for as long as they have rows.

    while there are tickets:
        take what has come; drop what was cancelled
        for each batch (nearly always one):
            run one step
            pass pieces and finished texts on

A step that fails may be one ticket's fault. So each text of the batch is begun again, alone: it is the same text, and
the error meets the ticket that causes it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from genrun.errors import GenrunError, one_line
from genrun.generating.batch import Batch, Row
from genrun.generating.sharing.ticket import Event, Ticket

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = ["Lane"]


class _Group:
    """A batch, and the tickets of its rows."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.tickets: dict[Row, Ticket] = {}
        self.streaming: set[Ticket] = set()

    def admit(self, tickets: Iterable[Ticket]) -> None:
        for ticket in tickets:
            self.tickets[ticket.request.row] = ticket
            self.batch.admit([ticket.request.row])
            if ticket.streaming:
                self.streaming.add(ticket)

    def remove(self, ticket: Ticket) -> None:
        if self.tickets.pop(ticket.request.row, None) is not None:
            self.batch.remove(ticket.request.row)
            self.streaming.discard(ticket)


class Lane:
    """Generates the texts of tickets, on a thread that ends when it has none.

    ``make_batch(size)`` returns a batch for ``size`` rows; at most ``size`` take a step together, and the others wait
    in the order in which they came. ``leave`` is asked whether the thread may end: it returns False if more tickets
    have come.
    """

    def __init__(self, make_batch: Callable[[int], Batch], size: int, leave: Callable[[Lane], bool]) -> None:
        self.inbox: deque[Ticket] = deque()  # appending and taking are atomic
        self._make_batch, self._size, self._leave = make_batch, size, leave
        self._cancelled: deque[Ticket] = deque()
        self._groups: list[_Group] = []  # the first one is shared, unless its step has failed
        self._rows = 0

    def __len__(self) -> int:
        """Return the number of texts that are not finished; nearly, while the lane is at work."""
        return len(self.inbox) + self._rows

    def start(self) -> None:
        """Start the thread; raises RuntimeError if there can be no more threads."""
        threading.Thread(target=self._run, name="genrun-steps").start()

    def give_up(self, ticket: Ticket) -> None:
        """Drop a ticket before the next step."""
        self._cancelled.append(ticket)

    def fail(self, error: BaseException) -> None:
        """Pass an error to everything that has come to a lane without a thread."""
        while self.inbox:
            _pass_on([(self.inbox.popleft(), error)])

    def _run(self) -> None:
        while True:
            try:
                self._take()
                if not self._rows and self._leave(self):
                    return
                for group in self._groups.copy():
                    self._step(group)
            except BaseException as error:  # a mistake in genrun: whoever waits must not wait for ever
                self._give_all(error)

    def _take(self) -> None:
        """Admit the tickets that have come, and drop those that were cancelled."""
        if self.inbox:
            come = [self.inbox.popleft() for _ in range(len(self.inbox))]
            self._rows += len(come)
            if not self._groups:
                self._open(self._size, come)
            else:
                self._groups[0].admit([ticket for ticket in come if not ticket.cancelled])
        while self._cancelled:
            ticket = self._cancelled.popleft()
            for group in self._groups:
                group.remove(ticket)
        self._count()

    def _open(self, size: int, tickets: list[Ticket]) -> None:
        """Begin a batch with ``tickets``; they get the error of one that cannot be made."""
        try:
            group = _Group(self._make_batch(size))
        except BaseException as error:  # of a decoder, which may be anyone's
            _pass_on([(ticket, error) for ticket in tickets])
            return
        group.admit([ticket for ticket in tickets if not ticket.cancelled])
        self._groups.append(group)

    def _count(self) -> None:
        self._groups = [group for group in self._groups if group.tickets]
        self._rows = sum([len(group.tickets) for group in self._groups])

    def _step(self, group: _Group) -> None:
        try:
            finished = group.batch.advance()
        except BaseException as error:  # of a decoder, which may be anyone's, or of onnxruntime
            self._failed(group, error)
            return
        events: list[tuple[Ticket, Event]] = []
        for ticket in group.streaming:
            if text := ticket.piece():
                events.append((ticket, text))
        for row in finished:
            ticket = group.tickets.pop(row)
            group.streaming.discard(ticket)
            events.append((ticket, ticket.request))
        if finished:
            self._count()
        _pass_on(events)

    def _failed(self, group: _Group, error: BaseException) -> None:
        self._groups.remove(group)
        tickets = list(group.tickets.values())
        if len(tickets) == 1:
            self._count()
            _pass_on([(tickets[0], error)])
            return
        for ticket in tickets:
            ticket.begin_again()
            self._open(1, [ticket])
        self._count()

    def _give_all(self, error: BaseException) -> None:
        tickets = [ticket for group in self._groups for ticket in group.tickets.values()]
        self._groups.clear()
        self._rows = 0
        failure = error if isinstance(error, GenrunError) else GenrunError(f"generating failed: {one_line(error)}")
        _pass_on([(ticket, failure) for ticket in tickets])


def _pass_on(events: list[tuple[Ticket, Event]]) -> None:
    """Call the receivers; those of one loop together, since waking a loop takes longer than many of its callbacks."""
    of_loops: dict[AbstractEventLoop, list[tuple[Ticket, Event]]] = {}
    for ticket, event in events:
        if ticket.loop is None:
            ticket.receive(event)
        else:
            of_loops.setdefault(ticket.loop, []).append((ticket, event))
    for loop, own in of_loops.items():
        try:
            loop.call_soon_threadsafe(_receive, own)
        except RuntimeError:  # the loop is closed: nobody waits any more
            for ticket, _ in own:
                ticket.cancel()


def _receive(events: list[tuple[Ticket, Event]]) -> None:
    for ticket, event in events:
        if not ticket.cancelled:
            ticket.receive(event)
