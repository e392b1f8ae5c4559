"""Requests to an application as a server would pass them on, without one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.applications import Starlette


async def ask(
    app: Starlette, body: dict[str, Any], left: asyncio.Event | None = None, path: str = "/v1/completions"
) -> list[dict[str, Any]]:
    """Post ``body``, and return the messages of the answer; the client leaves after ``left``."""
    content = json.dumps(body).encode()
    messages = [{"type": "http.request", "body": content, "more_body": False}]
    sent = list[dict[str, Any]]()

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await (left or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers, "query_string": b""}
    await app({**scope, "client": ("test", 1), "server": ("localhost", 80), "scheme": "http"}, receive, send)
    return sent
