"""A scheduled text as its caller sees it: for threads, and for event loops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import Future
from queue import SimpleQueue

from genrun.errors import OptionError
from genrun.generating.generator import TextGenerator
from genrun.generating.requests import Request
from genrun.generating.sharing.scheduler import Scheduler
from genrun.generating.sharing.ticket import Event, Ticket
from genrun.results import Result

__all__ = ["AsyncScheduledText", "ScheduledText"]

_LONG = 1000  # tokens; joining more is not for the thread of a loop


class ScheduledText:
    """One text that is being generated together with others; any thread may use it.

    Made by ``Model.schedule``. The text is generated even if nobody waits for it, unless it is cancelled.
    """

    def __init__(self, scheduler: Scheduler, generator: TextGenerator, request: Request, *, stream: bool) -> None:
        self._generator, self._stream = generator, stream
        self._pieces: SimpleQueue[str | None] = SimpleQueue()
        self._end: Future[Request] = Future()
        self._ticket = Ticket(generator, request, self._receive, streaming=stream)
        scheduler.submit([self._ticket])

    def result(self, timeout: float | None = None) -> Result:
        """Wait for the end of the text; at most ``timeout`` seconds, None for any time.

        Raises what generating raised, TimeoutError, or ``concurrent.futures.CancelledError`` after :meth:`cancel`.
        """
        return self._generator.result(self._end.result(timeout))

    def pieces(self) -> Iterator[str]:
        """Yield the continuation piece by piece, once, as it is generated; pieces wait until they are taken.

        Raises what :meth:`result` raises, and OptionError for a text that was not scheduled with ``stream=True``.
        """
        _check_stream(self._stream)
        while (piece := self._pieces.get()) is not None:
            yield piece
        self._pieces.put(None)  # for another iteration
        self._end.result()

    def done(self) -> bool:
        """Return whether the text is finished, failed or cancelled."""
        return self._end.done()

    def cancel(self) -> None:
        """Give the text up: it takes part in no further step. Nothing happens to one that is finished."""
        self._ticket.cancel()
        if self._end.cancel():
            self._pieces.put(None)

    def _receive(self, event: Event) -> None:
        if isinstance(event, str):
            self._pieces.put(event)
            return
        if self._end.set_running_or_notify_cancel():
            if isinstance(event, BaseException):
                self._end.set_exception(event)
            else:
                self._end.set_result(event)
        self._pieces.put(None)


class AsyncScheduledText:
    """One text that is being generated together with others, for tasks of the event loop that made it.

    Made by ``Model.aschedule``. The text is generated even if nobody waits for it, unless it is cancelled.
    """

    @property
    def prompt_ids(self) -> tuple[int, ...]:
        """The tokens of the prompt that the model is fed; of subwords, new tokens may repeat the end of a prompt."""
        return tuple(self._ticket.request.row.prompt_ids)

    @property
    def new_ids(self) -> tuple[int, ...]:
        """The new tokens so far; there may be more than the pieces that have come."""
        return tuple(self._ticket.request.row.new_ids)

    def __init__(self, scheduler: Scheduler, generator: TextGenerator, request: Request, *, stream: bool) -> None:
        loop = asyncio.get_running_loop()
        self._generator, self._stream = generator, stream
        self._pieces: asyncio.Queue[str | None] = asyncio.Queue()
        self._end: asyncio.Future[Request] = loop.create_future()
        self._ticket = Ticket(generator, request, self._receive, streaming=stream, loop=loop)
        scheduler.submit_soon(self._ticket, loop)

    async def result(self) -> Result:
        """Wait for the end of the text.

        Raises what generating raised, or ``asyncio.CancelledError`` after :meth:`cancel`. A task that waits here may
        be cancelled without harm to the text.
        """
        request = await asyncio.shield(self._end)
        if len(request.row.new_ids) > _LONG:
            return await asyncio.to_thread(self._whole_result, request)
        return self._generator.result(request)

    def _whole_result(self, request: Request) -> Result:
        """Return the result with all that is otherwise found when it is read."""
        result = self._generator.result(request)
        _ = result.copied_run
        return result

    async def pieces(self, *, joined: bool = False) -> AsyncGenerator[str, None]:
        """Yield the continuation piece by piece, once, as it is generated; pieces wait until they are taken.

        ``joined``: all pieces that wait are taken as one. Raises what :meth:`result` raises, and OptionError for a
        text that was not scheduled with ``stream=True``.
        """
        _check_stream(self._stream)
        ended = False
        while not ended and (piece := await self._pieces.get()) is not None:
            while joined and not ended and not self._pieces.empty():
                following = self._pieces.get_nowait()
                ended = following is None
                piece += following or ""
            yield piece
        self._pieces.put_nowait(None)  # for another iteration
        await asyncio.shield(self._end)

    def done(self) -> bool:
        """Return whether the text is finished, failed or cancelled."""
        return self._end.done()

    def cancel(self) -> None:
        """Give the text up: it takes part in no further step. Nothing happens to one that is finished."""
        self._ticket.cancel()
        if self._end.cancel():
            self._pieces.put_nowait(None)

    def _receive(self, event: Event) -> None:
        if isinstance(event, str):
            self._pieces.put_nowait(event)
            return
        if not self._end.done():
            if isinstance(event, BaseException):
                self._end.set_exception(event)
            else:
                self._end.set_result(event)
        self._pieces.put_nowait(None)


def _check_stream(stream: bool) -> None:
    if not stream:
        raise OptionError("pieces are there for a text that was scheduled with stream=True")
