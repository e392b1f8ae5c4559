"""Runs the application with uvicorn until a signal; what was accepted is finished first."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Generator

import uvicorn
from starlette.applications import Starlette

from genrun.errors import GenrunError
from genrun.serving.connections import protocol

__all__ = ["listen", "on_first_signal", "serve_until_signal", "server_of"]

_BACKLOG = 2048
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGBREAK") if hasattr(signal, name))


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on ``host`` and ``port``, 0 for a free one; raises GenrunError."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with contextlib.ExitStack() as closing:
            opened = closing.enter_context(socket.socket(family, socket.SOCK_STREAM))
            if os.name == "posix":  # on Windows, two servers could then have one port
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
    server = server_of(app, grace_seconds=grace_seconds)
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:  # uvloop's, where it is installed
        runner.run(_serve(app, server, listening, ready))


def server_of(app: Starlette, *, grace_seconds: float) -> uvicorn.Server:
    """Return the server of ``app``, made by ``create_app``, as :func:`serve_until_signal` runs it."""
    config = uvicorn.Config(
        app,
        http=protocol(app.state.server.limits.stall_seconds),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(grace_seconds)),
        timeout_keep_alive=75,
        ws="none",
        backlog=_BACKLOG,
    )
    return _Quiet(config)


class _Quiet(uvicorn.Server):
    """uvicorn without its signal handlers, which would end the process as the signal does."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals alone."""
        yield


async def _serve(app: Starlette, server: uvicorn.Server, listening: socket.socket, ready: Callable[[], None]) -> None:
    def stop() -> None:
        app.state.server.closing = True
        server.should_exit = True

    on_first_signal(asyncio.get_running_loop(), stop)
    serving = asyncio.create_task(server.serve([listening]))
    while not (server.started or serving.done()):
        await asyncio.sleep(0.01)
    if server.started:
        ready()
    await serving


def on_first_signal(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    """Call ``stop`` in ``loop`` on the first SIGTERM, Ctrl-C or Ctrl-Break; the next one ends the process.

    For the main thread. On Windows a loop has no handlers of signals: Python's own then wakes the loop.
    """

    def stop_once() -> None:
        for number in _SIGNALS:
            with contextlib.suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        stop()

    for number in _SIGNALS:
        try:
            loop.add_signal_handler(number, stop_once)
        except NotImplementedError:
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop_once))
