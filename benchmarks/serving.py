"""Measure `genrun serve`: many clients at once, against the same server with one row; the first token; HTTP itself.

    python benchmarks/serving.py MODEL [--clients 64] [--tokens 32] [--rounds 5] [--turns 3]

Each client sends one request after another over its own connection, `--rounds` of them in each of `--turns`; texts
are compared with the library's. Three servers take turns: with rows for all clients, with one row, and with all rows
and streams. Of each figure, the best turn counts. Prints requests a second; requests in a second of the server's
processor time, which other programs disturb less; p50 and p99 of the first token; and what HTTP costs: the processor
time of the server for a token, minus that of the library for the same texts in one batch. The clients take processor
time too, which the last column has. The exit status is 1 if a text differs.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import genrun

_CLOCK = os.sysconf("SC_CLK_TCK")
SERVERS = (("all rows", 0, False), ("one row", 1, False), ("streams", 0, True))  # name, rows, 0 for enough, streams


@dataclass
class Served:
    """What the clients of one server saw in a turn; the last two: processor time."""

    seconds: float = 0.0
    server_seconds: float = 0.0
    client_seconds: float = 0.0
    firsts: list[float] = field(default_factory=list)
    texts: dict[int, str] = field(default_factory=dict)


@contextlib.contextmanager
def server(model: str, rows: int) -> Iterator[tuple[str, int, int]]:
    """Run a server; yield its host, port and process id."""
    command = [sys.executable, "-m", "genrun", "serve", model, "--port", "0", "--rows", str(rows)]
    process = subprocess.Popen([*command, "--queue", "4096", "--log", "none"], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        host, _, port = line.split("/")[2].partition(":")
        yield host, int(port), process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process so far."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _CLOCK


def requests(prompts: list[str], tokens: int, rounds: int, *, stream: bool) -> list[tuple[int, bytes]]:
    """Return the bodies of all requests with their numbers, which are their seeds."""
    bodies = []
    for number in range(len(prompts) * rounds):
        body = {"prompt": prompts[number % len(prompts)], "max_tokens": tokens, "seed": number, "stream": stream}
        bodies.append((number, json.dumps(body).encode()))
    return bodies


async def client(host: str, port: int, bodies: list[tuple[int, bytes]], served: Served) -> None:
    """Send requests one after another; a client of few lines, so that it takes little of the machine."""
    reader, writer = await asyncio.open_connection(host, port)
    for number, body in bodies:
        begun = time.perf_counter()
        head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
        answer = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert answer.startswith(b"http/1.1 200"), answer
        if b"content-length" in answer:
            length = int(answer.split(b"content-length:")[1].split(b"\r\n")[0])
            text = json.loads(await reader.readexactly(length))["choices"][0]["text"]
            served.firsts.append(time.perf_counter() - begun)
        else:
            text = await streamed(reader, begun, served)
        served.texts[number] = text
    writer.close()


async def streamed(reader: asyncio.StreamReader, begun: float, served: Served) -> str:
    """Return the text of a stream, and note when its first piece came."""
    pieces = list[str]()
    while size := int(await reader.readline(), 16):
        for line in (await reader.readexactly(size)).split(b"\n\n"):
            if line.startswith(b"data: {"):
                if not pieces:
                    served.firsts.append(time.perf_counter() - begun)
                pieces.append(json.loads(line[6:])["choices"][0]["text"])
        await reader.readexactly(2)
    await reader.readexactly(2)
    return "".join(pieces)


async def measure(address: tuple[str, int, int], clients: int, bodies: list[tuple[int, bytes]]) -> Served:
    """Return what ``clients`` see of the server at ``address``: its host, port and process id."""
    host, port, pid = address
    served = Served()
    begun, of_server, of_clients = time.perf_counter(), cpu_seconds(pid), time.process_time()
    await asyncio.gather(*[client(host, port, bodies[i::clients], served) for i in range(clients)])
    served.seconds = time.perf_counter() - begun
    served.server_seconds, served.client_seconds = cpu_seconds(pid) - of_server, time.process_time() - of_clients
    return served


def percentile(values: list[float], part: float) -> float:
    """Return the value that this part of ``values`` does not exceed."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def alone(model: genrun.Model, prompts: list[str], tokens: int, count: int) -> list[str]:
    """Return the continuations that the library generates, each by itself."""
    texts = []
    for number in range(count):
        choices: dict[str, Any] = {"max_new_tokens": tokens, "seed": number}
        texts.append(model.generate_many([prompts[number % len(prompts)]], **choices)[0].continuation)
    return texts


def in_one_batch(model: genrun.Model, prompts: list[str], tokens: int, rounds: int) -> float:
    """Return the processor seconds a token of the library, with all prompts as one batch: the median."""
    taken = []
    for number in range(rounds + 1):
        begun = time.process_time()
        results = model.generate_many(prompts, max_new_tokens=tokens, seed=number, batch_size=len(prompts))
        taken.append((time.process_time() - begun) / sum(len(result.ids) for result in results))
    return statistics.median(taken[1:])


async def compare(arguments: argparse.Namespace) -> int:
    """Print the table, and return the exit status."""
    model, clients = genrun.load(arguments.model), arguments.clients
    words = model.tokenizer.vocabulary[len(model.tokenizer.specials) :]
    prompts = [words[number * 7 % len(words)] for number in range(clients)]
    count = clients * arguments.rounds
    wanted = dict(enumerate(alone(model, prompts, arguments.tokens, count)))
    batch = in_one_batch(model, prompts, arguments.tokens, arguments.rounds)
    turns: dict[str, list[Served]] = {name: [] for name, _, _ in SERVERS}
    with contextlib.ExitStack() as running:
        addresses = [running.enter_context(server(arguments.model, rows or 2 * clients)) for _, rows, _ in SERVERS]
        for turn in range(-1, arguments.turns):
            for (name, _, stream), address in zip(SERVERS, addresses, strict=True):
                bodies = requests(prompts, arguments.tokens, arguments.rounds, stream=stream)
                found = await measure(address, clients, bodies[:clients] if turn < 0 else bodies)
                if not wanted.items() >= found.texts.items():
                    print(f"{name}: the texts differ from those of the library")
                    return 1
                if turn >= 0:  # the first turn warms up
                    turns[name].append(found)
    print(f"{clients} clients, {count} requests of {arguments.tokens} tokens a turn; {os.cpu_count()} cores")
    show(turns, count, arguments.tokens, batch)
    print(f"the library, one batch of {clients}: {batch * 1e6:.0f} µs a token; {count} texts are the same")
    return 0


def show(turns: dict[str, list[Served]], count: int, tokens: int, batch: float) -> None:
    """Print the figures of all servers: of ``count`` requests of this many ``tokens``."""
    print("| server | requests/s | a processor second | first token p50 | p99 | µs a token | of it HTTP | clients |")
    print("|---|---|---|---|---|---|---|---|")
    for name, _, stream in SERVERS:
        seconds = min(turn.seconds for turn in turns[name])
        cpu = max(min(turn.server_seconds for turn in turns[name]), 1 / _CLOCK)  # at least one tick
        of_clients = min(turn.client_seconds for turn in turns[name])
        waits = [min(percentile(turn.firsts, part) for turn in turns[name]) for part in (0.5, 0.99)]
        firsts = [f"{wait * 1000:.0f} ms" if stream else "" for wait in waits]
        token = [f"{spent / (count * tokens) * 1e6:.0f}" for spent in (cpu, cpu - batch * count * tokens, of_clients)]
        print(f"| {name} | {' | '.join([f'{count / seconds:.1f}', f'{count / cpu:.1f}', *firsts, *token])} |")
    whole, one = [min(turn.seconds for turn in turns[name]) for name in ("all rows", "one row")]
    print(f"all rows are {one / whole:.1f} times as fast as one row")


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--turns", type=int, default=3)
    return asyncio.run(compare(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
