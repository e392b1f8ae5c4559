"""Connections that wait for their client in vain: they are closed, so that they keep no row and no socket."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

__all__ = ["protocol"]

_LOOKS = 4  # in the time that a client has
_HEAD_BYTES = 65_536
_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


def protocol(stall_seconds: float) -> type[asyncio.Protocol]:
    """Return uvicorn's protocol, which here closes the connection of a client that has stalled for this long.

    A client stalls if it has not sent the whole head of a request, or if it takes nothing of an answer that waits.
    The application then sees a client that has left. A connection is looked at four times in that time, so it may
    last a quarter longer. The head of a request may have 64 KiB and what else came with its beginning; a longer one
    is refused (431). As much may come behind a head or a part of a body that is neither: lines behind a chunked body.
    """
    return type("Connection", (_Watched,), {"between_looks": stall_seconds / _LOOKS})


class _Watched(HttpToolsProtocol):
    """uvicorn's protocol, with limits on the time that a client takes and on the head of a request."""

    between_looks: ClassVar[float]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to look at the connection."""
        super().connection_made(transport)
        self._to_client = transport
        self._waits_for: object = None
        self._looks = 0  # that have found the same
        self._in_head = False
        self._since = 0  # bytes that have come since a head began or ended, or a part of a body came
        self._refused = False
        self._look_later()

    def on_message_begin(self) -> None:
        """Begin to count the bytes of a head."""
        super().on_message_begin()
        self._in_head, self._since = True, 0

    def on_headers_complete(self) -> None:
        """Begin to count what follows the head."""
        super().on_headers_complete()
        self._in_head, self._since = False, 0

    def on_body(self, body: bytes) -> None:
        """Begin to count what follows this part of the body."""
        super().on_body(body)
        self._since = 0

    def data_received(self, data: bytes) -> None:
        """Pass on what has come, until it is too much: then nothing more is read."""
        if self._refused:
            return
        left = _HEAD_BYTES - self._since
        if self._in_head and 0 < left < len(data):  # the head may end within its limit, and a body follow
            self.data_received(data[:left])
            if not self._to_client.is_closing():
                self.data_received(data[left:])
            return
        self._since += len(data)
        if not self._in_head or self._since <= _HEAD_BYTES:
            super().data_received(data)  # which begins to count again where a head or a part of a body is there
        if self._since > _HEAD_BYTES:
            self._refused = True
            self._refuse()

    def _refuse(self) -> None:
        """Answer a head that is too long; where an answer is under way, it is the last one."""
        if not self._busy():
            self._to_client.write(_TOO_LONG)
            self._to_client.write_eof()  # and not close(): a client that still sends would lose the answer
        elif self.cycle.more_body:
            self._to_client.abort()  # the request has no end

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
        return None if self._busy() or self.timeout_keep_alive_task is not None else ("send", id(self.cycle))

    def _busy(self) -> bool:
        """Return whether a request is answered."""
        return self.cycle is not None and not self.cycle.response_complete
