"""The server's process: clients that stall lose their connection, and the first signal ends it in good order."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from genrun.model import Model
from genrun.serving.app import create_app
from genrun.serving.limits import Limits
from genrun.serving.running import listen, on_first_signal, server_of

STALL_SECONDS = 0.2
LONG = {"prompt": "a", "max_tokens": 4096, "stream": True, "n": 2}


def content(body: dict[str, Any]) -> bytes:
    text = json.dumps(body).encode()
    head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(text)}\r\n"
    return f"{head}Content-Type: application/json\r\n\r\n".encode() + text


def connected(address: tuple[str, int]) -> socket.socket:
    """Return a connection that holds few bytes that nobody reads."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(address)
    return client


async def closed(client: socket.socket) -> bytes:
    """Return what comes until the server closes the connection."""
    client.setblocking(False)
    loop, come = asyncio.get_running_loop(), b""
    try:
        while found := await loop.sock_recv(client, 1 << 16):
            come += found
    except ConnectionResetError:
        pass
    client.close()
    return come


@pytest.mark.parametrize(
    ("sent", "begins"),
    [
        (b"", b""),
        (b"POST /v1/completions HTTP/1.1\r\nHost: local", b""),
        (content(LONG), b"HTTP/1.1 200 OK"),
    ],
)
def test_a_client_that_stalls_loses_its_connection_its_row_and_its_places(
    letter_words: Model, sent: bytes, begins: bytes
) -> None:
    async def main() -> None:
        app = create_app({"m": letter_words}, Limits(rows=2, queue=0, stall_seconds=STALL_SECONDS))
        server, places = server_of(app, grace_seconds=60), app.state.server.places
        with listen("127.0.0.1", 0) as listening:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # so does each connection
            address = listening.getsockname()
            serving = asyncio.create_task(server.serve([listening]))
            client = connected(address)
            client.sendall(sent)
            while not server.server_state.connections:
                await asyncio.sleep(0.001)
            while server.server_state.connections:
                await asyncio.sleep(0.01)
            while places.taken or places.running or len(asyncio.all_tasks()) > 3:
                await asyncio.sleep(0.01)
            come = await closed(client)
            assert come.startswith(begins)
            assert b"[DONE]" not in come
            patient = connected(address)
            patient.sendall(content({**LONG, "max_tokens": 40}).replace(b"Host", b"Connection: close\r\nHost"))
            assert (await closed(patient)).endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
            server.should_exit = True
            await serving

    asyncio.run(main())


BODIES = [content({"prompt": "a", "max_tokens": 2, "stop": "b" * length}) for length in (10, 100_000, 300_000)]
CHUNKED = b"".join(
    [
        BODIES[1].split(b"\r\n\r\n")[0].replace(b"Content-Length: ", b"Transfer-Encoding: chunked\r\nX: "),
        b"\r\n\r\n",
        *(b"1;%s\r\n%c\r\n" % (b"x" * 60, byte) for byte in BODIES[1].split(b"\r\n\r\n")[1]),
        b"0\r\n\r\n",
    ]
)
LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
LONG_HEAD = b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 60_000 + b"\r\n"


async def answers(reader: asyncio.StreamReader, count: int) -> list[bytes]:
    """Return the first lines of the next answers."""
    lines = []
    for _ in range(count):
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r")[0]))
        lines.append(head.split(b"\r")[0])
    return lines


@pytest.mark.parametrize(
    ("sent", "statuses"),
    [
        (BODIES, 3 * [200]),  # on one connection, the next after the answer
        ([b"".join(BODIES)], 3 * [200]),  # all at once
        ([BODIES[0].replace(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n", LONG_HEAD)], [200]),
        ([BODIES[2], b"GET / HTTP/1.1\r\nX: " + b"x" * 1_000_000], [200, 431]),
        ([BODIES[2] + b"GET / HTTP/1.1\r\nX: " + b"x" * 1_000_000], [200]),  # nothing is read after the answer
        ([b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 100_000], [431]),
        ([b"GET /" + b"x" * 1_000_000], [431]),
        ([b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: x\r\n" * 100_000 + b"\r\n"], [431]),  # it has an end
        ([BODIES[0], b"\r\n" * 500_000], [200, 431]),
        ([CHUNKED], [200]),
    ],
)
def test_a_head_that_never_ends_is_refused_and_a_long_body_is_not(
    letter_words: Model, sent: list[bytes], statuses: list[int]
) -> None:
    async def main() -> None:
        app = create_app({"m": letter_words}, Limits(stall_seconds=3600))
        server = server_of(app, grace_seconds=60)
        with listen("127.0.0.1", 0) as listening:
            serving = asyncio.create_task(server.serve([listening]))
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            come = []
            for piece in sent:
                writer.write(piece)
                await writer.drain()
                come += await answers(reader, 1 if len(sent) > 1 else len(statuses))
            assert [int(line.split()[1]) for line in come] == statuses
            if statuses[-1] == 431:
                assert not await reader.read()
            writer.close()
            while server.server_state.connections:
                await asyncio.sleep(0.01)
            server.should_exit = True
            await serving

    asyncio.run(main())


@pytest.mark.parametrize(
    ("begun", "rest", "count"),
    [
        (BODIES[2][:40], BODIES[2][40:], 1),  # the rest of the head, and a long body
        (LIVE[:20], LIVE[20:] + 4000 * LIVE, 4001),
    ],
)
def test_what_follows_the_end_of_a_head_does_not_count_as_head(
    letter_words: Model, begun: bytes, rest: bytes, count: int
) -> None:
    async def main() -> None:
        server = server_of(create_app({"m": letter_words}, Limits(stall_seconds=3600)), grace_seconds=60)
        with listen("127.0.0.1", 0) as listening:
            serving = asyncio.create_task(server.serve([listening]))
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            writer.write(begun)
            await asyncio.sleep(0.3)  # so that it is read by itself
            writer.write(rest)
            found = [int(line.split()[1]) for line in await answers(reader, count)]
            writer.close()
            server.should_exit = True
            await serving
            assert found == [200] * count

    asyncio.run(main())


def test_a_body_whose_end_never_comes_loses_its_connection(letter_words: Model) -> None:
    async def main() -> None:
        app = create_app({"m": letter_words}, Limits(stall_seconds=3600, body_seconds=3600))
        server = server_of(app, grace_seconds=60)
        with listen("127.0.0.1", 0) as listening:
            serving = asyncio.create_task(server.serve([listening]))
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            head, body = (
                BODIES[0].replace(b"Content-Length: ", b"Transfer-Encoding: chunked\r\nX: ").split(b"\r\n\r\n")
            )
            writer.write(b"%s\r\n\r\n%x\r\n%s\r\n0\r\n" % (head, len(body), body))
            with suppress(ConnectionError):
                while not reader.at_eof():
                    writer.write(b"X: x\r\n" * 1000)  # lines behind the body, without an end
                    await writer.drain()
                    await asyncio.sleep(0)
            while server.server_state.connections:
                await asyncio.sleep(0.01)
            writer.close()
            server.should_exit = True
            await serving

    asyncio.run(main())


@pytest.fixture
def kept_handlers() -> Iterator[None]:
    """Restore the handlers of signals."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    handlers = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)


def not_there(*_: object) -> None:
    raise NotImplementedError


class LoopOfWindows(asyncio.SelectorEventLoop):
    """Has no handlers of signals."""

    add_signal_handler: Any = not_there
    remove_signal_handler: Any = not_there


@pytest.mark.usefixtures("kept_handlers")
@pytest.mark.parametrize("make_loop", [asyncio.SelectorEventLoop, LoopOfWindows])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_stops_the_server_and_the_second_would_end_it(
    make_loop: Callable[[], asyncio.AbstractEventLoop], number: signal.Signals
) -> None:
    async def main() -> None:
        stopped = asyncio.Event()
        on_first_signal(asyncio.get_running_loop(), stopped.set)
        assert signal.getsignal(number) is not signal.SIG_DFL
        asyncio.get_running_loop().call_soon(signal.raise_signal, number)
        await stopped.wait()
        assert signal.getsignal(signal.SIGTERM) is signal.getsignal(signal.SIGINT) is signal.SIG_DFL

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(main())
