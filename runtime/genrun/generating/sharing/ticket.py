"""One text that a scheduler generates, and where its pieces and its end go."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from genrun.generating.generator import TextGenerator
from genrun.generating.requests import Request

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from genrun.generating.sharing.lane import Lane

__all__ = ["Event", "Ticket"]

Event = str | Request | BaseException


class Ticket:
    """One text on its way: ``request``, which ``generator`` has begun.

    ``receive`` is called with each piece of the continuation (str), if ``streaming``, and at the end with the
    finished Request or with what was raised; once after a cancellation at most. It is called in the callbacks of
    ``loop``, if one is given, else on the thread of the lane: there it must neither block nor raise.
    """

    __slots__ = ("_passed", "_repeated", "cancelled", "generator", "lane", "loop", "receive", "request", "streaming")

    def __init__(
        self,
        generator: TextGenerator,
        request: Request,
        receive: Callable[[Event], object],
        *,
        streaming: bool = False,
        loop: AbstractEventLoop | None = None,
    ) -> None:
        self.generator, self.request, self.receive = generator, request, receive
        self.streaming, self.loop = streaming, loop
        self.cancelled = False
        self._passed = 0  # characters of the continuation that were passed on
        self._repeated = 0  # of these, the ones that a text that was begun again still has to repeat
        self.lane: Lane | None = None  # which generates the text

    def cancel(self) -> None:
        """Give the text up; its row is free before the next step. Harmless at any time, on any thread."""
        self.cancelled = True  # a lane that does not have the ticket yet will look here
        if self.lane is not None:
            self.lane.give_up(self)

    def begin_again(self) -> None:
        """Begin the text again, from its prompt; what was passed on is not passed on twice."""
        self.request = self.generator.again(self.request, streaming=self.streaming)
        self._repeated = self._passed

    def piece(self) -> str:
        """Return what is new of the continuation, with what was held back if the text is finished."""
        row = self.request.row
        text, row.new_text = row.new_text, ""
        if row.finish_reason and row.text_stream is not None:
            text += row.text_stream.finish()
        new = text[self._repeated :]
        self._repeated = max(0, self._repeated - len(text))
        self._passed += len(new)
        return new
