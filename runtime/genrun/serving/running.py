"""Runs the application with uvicorn until a signal; what was accepted is finished first."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Generator

import uvicorn
from starlette.applications import Starlette

from genrun.errors import GenrunError

__all__ = ["listen", "serve_until_signal"]

_BACKLOG = 2048
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on ``host`` and ``port``, 0 for a free one; raises GenrunError."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with contextlib.ExitStack() as closing:
            opened = closing.enter_context(socket.socket(family, socket.SOCK_STREAM))
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            opened.bind(address)
            opened.listen(_BACKLOG)
            closing.pop_all()
    except OSError as error:
        raise GenrunError(f"cannot listen on {host}, port {port}: {error.strerror or error}") from error
    return opened


def serve_until_signal(
    app: Starlette, listening: socket.socket, *, grace_seconds: float, ready: Callable[[], None]
) -> None:
    """Serve ``app`` until SIGTERM or Ctrl-C; call ``ready`` once requests are accepted.

    Then no request is accepted any more, and those that were are finished, for at most ``grace_seconds``. A second
    signal ends the process at once.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(grace_seconds)),
        timeout_keep_alive=75,
        ws="none",
        backlog=_BACKLOG,
    )
    asyncio.run(_serve(app, _Quiet(config), listening, ready))


class _Quiet(uvicorn.Server):
    """uvicorn without its signal handlers, which would end the process as the signal does."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals alone."""
        yield


async def _serve(app: Starlette, server: uvicorn.Server, listening: socket.socket, ready: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        app.state.server.closing = True
        server.should_exit = True
        for number in _SIGNALS:  # the next one ends the process
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop)
    serving = asyncio.create_task(server.serve([listening]))
    while not (server.started or serving.done()):
        await asyncio.sleep(0.01)
    if server.started:
        ready()
    await serving
