"""Answers: JSON, or a stream of events; both end when the client leaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from genrun.checks.json_text import read_json
from genrun.errors import GenrunError, one_line
from genrun.serving.limits import Limits
from genrun.serving.refusals import ClientLeft, Refused

__all__ = ["EventStream", "Json", "encoded", "read_body", "refusal", "while_connected"]

T = TypeVar("T")
_EVENTS = 16  # of a stream, between two turns of the loop
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class Json(Response):
    """A JSON value; characters are written as they are."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the bytes of ``content``."""
        return encoded(content)


def encoded(content: Any) -> bytes:
    """Return ``content`` as compact JSON in UTF-8; half a surrogate pair becomes a question mark."""
    return _ENCODER.encode(content).encode("utf-8", "replace")


def refusal(error: Refused) -> Json:
    """Return the answer of a refused request."""
    return Json(error.to_json(), error.status, headers=error.headers)


async def read_body(request: Request, limits: Limits) -> object:
    """Return the JSON value of a body; raises Refused for one that is too long, too slow, or no JSON.

    Another content type than JSON is refused too: a browser sends those to any server, without asking it first.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "the body must be JSON: send the header Content-Type: application/json")
    if (coding := request.headers.get("content-encoding", "identity").lower()) != "identity":
        raise Refused(415, f"the body must be sent as it is, without the Content-Encoding {coding[:40]!r}")
    too_long = Refused(413, f"the body must have at most {limits.body_bytes:,} bytes")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and len(declared) < 20 and int(declared) > limits.body_bytes:
        raise too_long
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limits.body_bytes:
                    raise too_long
    except ClientDisconnect:
        raise ClientLeft from None
    except TimeoutError:
        raise Refused(408, f"the body did not arrive within {limits.body_seconds:g} seconds") from None
    try:
        return read_json(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"the body is not JSON: {str(error)[:200] or 'it is nested too deeply'}") from None


async def while_connected(receive: Receive, work: Awaitable[T]) -> T:
    """Return what ``work`` returns; cancel it and raise ClientLeft as soon as the client closes its connection."""
    me = asyncio.current_task()
    left = False

    async def watch() -> None:
        nonlocal left
        while (await receive())["type"] != "http.disconnect":
            pass
        left = True
        if me is not None:
            me.cancel()

    watching = asyncio.create_task(watch())
    try:
        return await work
    except asyncio.CancelledError:
        if left and me is not None and not me.uncancel():
            raise ClientLeft from None
        raise
    finally:
        watching.cancel()


class EventStream(Response):
    """Server-sent events: each of ``events``, which is JSON, then ``[DONE]``.

    :meth:`begin` awaits the first event, so that an error before it has a status of its own; an error after it is an
    event. ``ended`` is called at the end, however it comes.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[bytes, None]) -> None:
        super().__init__(headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events
        self._first = b""
        self.ended: Callable[[], None] = lambda: None

    async def begin(self) -> None:
        """Wait for the first event; raises what making it raised."""
        try:
            self._first = await anext(self._events)
        except BaseException:
            await self._events.aclose()
            raise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream; raises ClientLeft if the client leaves."""
        try:
            async with aclosing(self._events):
                await while_connected(receive, self._send_all(send))
        finally:
            self.ended()

    async def _send_all(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await _send(send, self._first)
        try:
            count = 0
            async for event in self._events:
                await _send(send, event)
                count += 1
                if not count % _EVENTS:  # what has been waiting is sent at once; so the loop must have its turn
                    await asyncio.sleep(0)
        except (Refused, GenrunError) as error:
            refused = error if isinstance(error, Refused) else Refused(500, one_line(error))
            await _send(send, encoded(refused.to_json()))
        await _send(send, b"[DONE]", more=False)


async def _send(send: Send, data: bytes, *, more: bool = True) -> None:
    body = b"data: " + data + b"\n\n"
    await send({"type": "http.response.body", "body": body, "more_body": more})
