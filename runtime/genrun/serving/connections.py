"""Connections that wait for their client in vain: they are closed, so that they keep no row and no socket."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.auto import AutoHTTPProtocol

__all__ = ["protocol"]

_LOOKS = 4  # in the time that a client has


def protocol(stall_seconds: float) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol, which here closes the connection of a client that has stalled for this long.

    A client stalls if it has not sent the whole head of a request, or if it takes nothing of an answer that waits.
    The application then sees a client that has left. A connection is looked at four times in that time, so it may
    last a quarter longer.
    """
    return type("Connection", (_Watched, AutoHTTPProtocol), {"between_looks": stall_seconds / _LOOKS})


class _Watched(asyncio.Protocol):
    """What is added to uvicorn's protocol, of which it reads the attributes that are declared here."""

    between_looks: ClassVar[float]
    cycle: Any  # the last request whose head is complete
    timeout_keep_alive_task: asyncio.TimerHandle | None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to look at the connection."""
        super().connection_made(transport)
        assert isinstance(transport, asyncio.Transport)
        self._to_client = transport
        self._waits_for: object = None
        self._looks = 0  # that have found the same
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop looking at the connection."""
        self._next_look.cancel()
        super().connection_lost(exc)

    def _look_later(self) -> None:
        self._next_look = asyncio.get_running_loop().call_later(self.between_looks, self._look)

    def _look(self) -> None:
        """Close the connection if it has waited for the same thing since some looks ago."""
        waits_for = self._waiting()
        self._looks = self._looks + 1 if waits_for is not None and waits_for == self._waits_for else 0
        self._waits_for = waits_for
        if self._looks == _LOOKS:
            self._to_client.abort()
        else:
            self._look_later()

    def _waiting(self) -> object:
        """Return what the client has to do next; None if it is the server's turn, or the connection rests."""
        if left := self._to_client.get_write_buffer_size():
            return "take", left
        busy = self.cycle is not None and not self.cycle.response_complete
        return None if busy or self.timeout_keep_alive_task is not None else ("send", id(self.cycle))
