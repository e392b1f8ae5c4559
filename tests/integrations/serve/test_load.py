"""A server under load: clients that leave, more requests than places, and a signal in the middle."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from genrun.model import Model

CLIENTS = 1000
PATIENCE_SECONDS = 120


def request(**body: Any) -> bytes:
    content = json.dumps(body).encode()
    head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n"
    return f"{head}Connection: close\r\nContent-Type: application/json\r\n\r\n".encode() + content


async def sent(address: str, content: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(content)
    return reader, writer


async def answered(address: str, content: bytes) -> tuple[int, dict[str, Any]]:
    reader, writer = await sent(address, content)
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(head.split()[1]), json.loads(body)


def wait_until_idle(running: Any) -> None:
    """Wait until the server has neither a text nor a place that is taken."""
    patience = time.monotonic() + PATIENCE_SECONDS
    while running.figure("vllm:num_requests_running") or running.figure("vllm:num_requests_waiting"):
        assert time.monotonic() < patience


def test_clients_that_leave_leave_nothing_behind(serve: Any) -> None:
    async def leave(address: str, number: int, places: asyncio.Semaphore) -> None:
        """Ask for a text that would take long, and leave: at once, after the first byte, or while it waits."""
        async with places:
            body = {"model": "endless", "prompt": "a", "max_tokens": 4096, "n": 2, "stream": bool(number % 2)}
            if number % 5 == 0:
                body["logprobs"] = 2
            reader, writer = await sent(address, request(**body))
            if number % 3 == 0 and number % 2:
                await reader.read(1)
            elif number % 3 == 1:
                await asyncio.sleep(0.05)
            writer.transport.abort()

    async def all_leave(address: str) -> None:
        places = asyncio.Semaphore(50)
        await asyncio.gather(*[leave(address, number, places) for number in range(CLIENTS)])

    with serve("--rows", 32, "--queue", 4 * CLIENTS, "--log", "none") as running:
        asyncio.run(all_leave(running.address))
        wait_until_idle(running)
        before, threads = running.mebibytes(), running.threads()
        asyncio.run(all_leave(running.address))
        wait_until_idle(running)
        assert running.mebibytes() < before + 20
        assert running.threads() <= threads + 8
        assert running.figure("vllm:generation_tokens_total") < CLIENTS * 2 * 4096
        assert running.post(model="endless", prompt="a", max_tokens=2)["choices"][0]["text"] == " b c"


def test_a_flood_loses_no_accepted_request(serve: Any, talker: Model) -> None:
    async def flood(address: str) -> list[tuple[int, dict[str, Any]]]:
        bodies = [request(model="talker", prompt="the", seed=seed, max_tokens=200) for seed in range(CLIENTS)]
        return list(await asyncio.gather(*[answered(address, body) for body in bodies]))

    with serve("--rows", 8, "--queue", 40, "--queue-seconds", 60, "--log", "none") as running:
        answers = asyncio.run(flood(running.address))
        wait_until_idle(running)
    statuses = [status for status, _ in answers]
    assert set(statuses) == {200, 429}
    assert statuses.count(200) >= 48
    for seed, (status, answer) in enumerate(answers):
        if status == 200:
            [result] = talker.generate_many(["the"], seed=seed, max_new_tokens=200)
            assert answer["choices"][0]["text"] == result.continuation


def test_a_signal_under_load_finishes_what_was_accepted(serve: Any) -> None:
    async def load(running: Any) -> list[tuple[int, dict[str, Any]]]:
        bodies = [request(model="endless", prompt="a", max_tokens=4000, n=2) for _ in range(60)]
        asked = [asyncio.ensure_future(answered(running.address, body)) for body in bodies]
        while await asyncio.to_thread(running.figure, "vllm:num_requests_waiting") < 100:
            await asyncio.sleep(0.01)
        stopping = asyncio.to_thread(running.stop)
        answers, (status, log) = await asyncio.gather(asyncio.gather(*asked), stopping)
        assert status == 0
        assert [line["status"] for line in log if line.get("path") == "/v1/completions"] == [200] * 60
        return list(answers)

    with serve("--rows", 10) as running:
        answers = asyncio.run(load(running))
    assert {status for status, _ in answers} == {200}
    assert {answer["usage"]["completion_tokens"] for _, answer in answers} == {8000}


def test_memory_stays_flat_over_many_requests(serve: Any) -> None:
    async def many(address: str, count: int) -> None:
        places = asyncio.Semaphore(32)

        async def one() -> None:
            async with places:
                status, _ = await answered(address, request(model="talker", prompt="the", max_tokens=4))
                assert status == 200

        await asyncio.gather(*[one() for _ in range(count)])

    with serve("--log", "none") as running:
        asyncio.run(many(running.address, 1000))
        before = running.mebibytes()
        asyncio.run(many(running.address, 4000))
        assert running.mebibytes() < before + 10
