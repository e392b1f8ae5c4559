"""Places for texts: a request has one before any work is done for it, and each text waits for a row in its turn."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

from genrun.serving.limits import Limits
from genrun.serving.refusals import Refused

__all__ = ["Places", "Reservation"]

_MOST_SECONDS = 60  # in Retry-After
_SHARE = 0.05  # of the newest text in the average


class Places:
    """Counts the texts of a server, and lets at most ``limits.rows`` of them be generated at a time, in order.

    For the tasks of one event loop.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._rows = asyncio.Semaphore(limits.rows)
        self._seconds = 0.1  # that a text has a row, on average
        self.taken = 0
        """Texts that have a place: generated or waiting."""
        self.most = limits.rows + limits.queue
        """The places."""
        self.running = 0
        """Texts that have a row."""

    @property
    def waiting(self) -> int:
        """Texts that have a place and no row."""
        return self.taken - self.running

    def reserve(self) -> Reservation:
        """Take one place; raises Refused (429) if none is free."""
        reservation = Reservation(self)
        reservation.extend_to(1)
        return reservation

    def take(self, count: int) -> None:
        """Take ``count`` places; raises Refused (429) if there are not that many."""
        most = self.most
        if self.taken + count > most:
            raise Refused(
                429,
                f"{self.taken} texts have a place, of at most {most}; try again later",
                code="queue_full",
                retry_after=self.seconds_to_wait(),
            )
        self.taken += count

    def give_back(self, count: int) -> None:
        """Free ``count`` places."""
        self.taken -= count

    def seconds_to_wait(self) -> int:
        """Return about how many seconds the last text of the queue waits, 1 to 60."""
        return max(1, min(_MOST_SECONDS, round(self._seconds * self.waiting / self._limits.rows)))

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a row, behind those that wait already; raises Refused (503) after ``queue_seconds``."""
        if self._rows.locked():
            await self._wait()
        else:  # without a timer
            await self._rows.acquire()
        begun = time.monotonic()
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._rows.release()
            self._seconds += _SHARE * (time.monotonic() - begun - self._seconds)

    async def _wait(self) -> None:
        """Wait for a row; raises Refused (503) after ``queue_seconds``."""
        try:
            async with asyncio.timeout(self._limits.queue_seconds):
                await self._rows.acquire()
        except TimeoutError:
            raise Refused(
                503,
                f"the text waited {self._limits.queue_seconds:g} seconds for its turn; try again later",
                code="queue_timeout",
                retry_after=self.seconds_to_wait(),
            ) from None


class Reservation:
    """The places of one request; give them back with :meth:`release`."""

    def __init__(self, places: Places) -> None:
        self._places, self._count = places, 0

    def extend_to(self, count: int) -> None:
        """Have ``count`` places in all; raises Refused if there are not that many free."""
        if count > self._places.most:
            raise Refused(400, f"the request asks for {count} texts; this server has {self._places.most} places")
        if count > self._count:
            self._places.take(count - self._count)
            self._count = count

    def release(self) -> None:
        """Give all places back."""
        self._places.give_back(self._count)
        self._count = 0
