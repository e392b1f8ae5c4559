"""Who may ask: the Host header, the key, requests of other web pages; and a line of the log for each request."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import time
from collections.abc import Iterable
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from genrun.serving.answers import refusal
from genrun.serving.logs import log_error, log_request
from genrun.serving.metrics import Metrics
from genrun.serving.names import HEALTH, new_name, path_of
from genrun.serving.page import PAGE_HEADERS
from genrun.serving.refusals import ClientLeft, Refused

__all__ = ["LOOPBACK", "Guard"]

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_LEFT = 499  # in the log, as nginx has it
_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", **PAGE_HEADERS}


class Guard:
    """Refuses requests with another Host header, or without the key; all but those of the health paths.

    ``hosts``: names without a port; ``*`` accepts all. A page of another site cannot reach the server by a name that
    it has pointed at this machine, since that name is not accepted. ``key``: None for no key.
    """

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str], key: str | None, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics
        self._hosts = frozenset(host.lower() for host in hosts)
        self._key = None if key is None else key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer why it is not accepted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status, headers = time.monotonic(), 0, Headers(scope=scope)
        given = headers.get("x-request-id", "")
        name = given if _ID.fullmatch(given) else new_name()
        facts: dict[str, Any] = {}
        scope.setdefault("state", {})["facts"] = facts

        async def marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                answer = MutableHeaders(scope=message)
                answer["X-Request-Id"] = name
                for header, value in _HEADERS.items():
                    answer.setdefault(header, value)
            await send(message)

        try:
            if (refused := self._refused(path_of(scope), headers)) is not None:
                await refusal(refused)(scope, receive, marked)
            else:
                await self._app(scope, receive, marked)
        except ClientLeft:
            self._metrics.client_left()
            status = _LEFT
        except Exception as error:  # a mistake in genrun, or a plugin's
            log_error(name, error)
            if status:
                raise
            await refusal(Refused(500, "the server failed; its log says more"))(scope, receive, marked)
        finally:
            if status >= 400 and status != _LEFT:
                self._metrics.refused(status)
            log_request(scope, name, status, time.monotonic() - begun, facts)

    def _refused(self, path: str, headers: Headers) -> Refused | None:
        if path in HEALTH:
            return None
        if len(given := headers.getlist("host")) > 1:
            return Refused(400, f"the request has {len(given)} Host headers; send one")
        host = _without_port("".join(given))
        if host not in self._hosts and "*" not in self._hosts:
            return Refused(
                403, f"the Host header {host[:100]!r} is not accepted; genrun serve --allow-host names others"
            )
        if self._key is not None and not self._has_key(headers.get("authorization", "")):
            # Chromium reads one challenge of a header, so this is the one that makes it ask.
            asks = {"WWW-Authenticate": 'Basic realm="genrun", charset="UTF-8"'}
            message = "the key is missing or wrong: send Authorization: Bearer KEY"
            return Refused(401, message, code="invalid_api_key", headers=asks)
        return None

    def _has_key(self, authorization: str) -> bool:
        """Return whether the key was sent; as the password of any user too, so that browsers can ask for it."""
        scheme, _, value = authorization.partition(" ")
        given = value.strip().encode("utf-8", "replace")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).partition(b":")[2]
            except binascii.Error:
                return False
        elif scheme.lower() != "bearer":
            return False
        return self._key is not None and hmac.compare_digest(given, self._key)


def _without_port(host: str) -> str:
    """Return a Host header without its port.

    >>> _without_port("[::1]:8000"), _without_port("LOCALHOST:1"), _without_port("example.org")
    ('[::1]', 'localhost', 'example.org')
    """
    return re.sub(r":\d*\Z", "", host.strip()).lower()
