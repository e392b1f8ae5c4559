"""Measure `genrun serve`: many clients at once, against the same server with one row; the first token; HTTP itself.

    python benchmarks/serving.py MODEL [--clients 64] [--tokens 32] [--rounds 5]

Each client sends one request after another over its own connection, `--rounds` of them; texts are compared with the
library's. Three servers take turns: with rows for all clients, with one row, and with all rows and streams. Prints
requests a second, the ratio of the first two, p50 and p99 of the first token, and what HTTP costs: the processor time
of the server for a token, minus that of the library for the same texts in one batch. The exit status is 1 if a text
differs.
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


@dataclass
class Served:
    """What the clients of one server saw."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
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


async def measure(model: str, rows: int, clients: int, bodies: list[tuple[int, bytes]]) -> Served:
    """Return what ``clients`` see of a server with ``rows``."""
    served, warming = Served(), Served()
    with server(model, rows) as (host, port, pid):
        await asyncio.gather(*[client(host, port, bodies[:1], warming) for _ in range(clients)])
        before, begun = cpu_seconds(pid), time.perf_counter()
        parts = [bodies[i::clients] for i in range(clients)]
        await asyncio.gather(*[client(host, port, part, served) for part in parts])
        served.seconds, served.cpu_seconds = time.perf_counter() - begun, cpu_seconds(pid) - before
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
    model = genrun.load(arguments.model)
    words = model.tokenizer.vocabulary[len(model.tokenizer.specials) :]
    prompts = [words[number * 7 % len(words)] for number in range(arguments.clients)]
    count = arguments.clients * arguments.rounds
    wanted = dict(enumerate(alone(model, prompts, arguments.tokens, count)))
    batch = in_one_batch(model, prompts, arguments.tokens, arguments.rounds)
    print(f"{arguments.clients} clients, {count} requests of {arguments.tokens} tokens; {os.cpu_count()} cores")
    print("| server | requests/s | first token p50 | p99 | processor µs a token | of it HTTP |")
    print("|---|---|---|---|---|---|")
    found, many = {}, 2 * arguments.clients
    for name, rows, stream in (("all rows", many, False), ("one row", 1, False), ("streams", many, True)):
        bodies = requests(prompts, arguments.tokens, arguments.rounds, stream=stream)
        served = found[name] = await measure(arguments.model, rows, arguments.clients, bodies)
        if served.texts != wanted:
            print(f"{name}: the texts differ from those of the library")
            return 1
        token = served.cpu_seconds / (count * arguments.tokens)
        waits = [f"{percentile(served.firsts, part) * 1000:.0f} ms" if stream else "" for part in (0.5, 0.99)]
        figures = [f"{count / served.seconds:.1f}", *waits, f"{token * 1e6:.0f}", f"{(token - batch) * 1e6:.0f}"]
        print(f"| {name} | {' | '.join(figures)} |", flush=True)
    print(f"all rows are {found['one row'].seconds / found['all rows'].seconds:.1f} times as fast as one row")
    print(f"the library, one batch of {arguments.clients}: {batch * 1e6:.0f} µs a token; {count} texts are the same")
    return 0


def main() -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="MODEL", help="a model file")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    return asyncio.run(compare(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
