"""Programs that take turns: each in a process of its own, of which one works and the others wait.

The parent writes a line for a round and reads a line with what it took: JSON in both directions, over pipes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

__all__ = ["Missing", "Worker", "serve", "take_turns"]

_HERE = Path(__file__).resolve().parents[1]
_PAUSE = 0.05  # seconds between rounds, in which the threads of the last one stop waiting for more work

_STEADY = 1.5  # the fastest round over the slowest, on a machine where nothing else works


class Missing(Exception):
    """What a worker needs is not installed."""


@dataclass(slots=True)
class Worker:
    """A module of :mod:`generation.workers` with its arguments, run by ``python``.

    ``about`` is what it says of itself once it is warm, such as a version.
    """

    module: str
    arguments: Sequence[object]
    python: str = sys.executable
    about: str = ""
    _process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Worker:
        """Start it and wait until it is warm; raises Missing if it cannot run here."""
        command = [self.python, "-m", f"generation.workers.{self.module}", *map(str, self.arguments)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_HERE)
        said = self._read()
        if "missing" in said:
            self._end()
            raise Missing(said["missing"])
        self.about = said["about"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let it end."""
        self._end()

    def round(self) -> tuple[int, float]:
        """Have it do one round; return the tokens that it made and the seconds that this took."""
        if self._process is None or self._process.stdin is None:
            raise RuntimeError(f"{self.module} has not been started")
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        said = self._read()
        return said["tokens"], said["seconds"]

    def _end(self) -> None:
        """Close its input, at the end of which it ends."""
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process.wait()

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process and self._process.stdout else ""
        if not line:
            raise RuntimeError(f"{self.module} has ended; what it said stands above")
        said: dict[str, Any] = json.loads(line)
        return said


def take_turns(workers: Sequence[Worker], rounds: int) -> list[list[float]]:
    """Return the tokens a second of each worker in each of ``rounds`` rounds.

    All are warm before the first. Raises RuntimeError if one does not make as many tokens as the others.
    """
    with ExitStack() as stack:
        for worker in workers:
            stack.enter_context(worker)
        rates: list[list[float]] = [[] for _ in workers]
        for _ in range(rounds):
            counts = []
            for worker, found in zip(workers, rates, strict=True):
                time.sleep(_PAUSE)
                tokens, seconds = worker.round()
                counts.append(tokens)
                found.append(tokens / seconds)
            if len(set(counts)) > 1:
                raise RuntimeError(f"the workers made different numbers of tokens: {counts}")
    for worker, found in zip(workers, rates, strict=True):
        if max(found) > _STEADY * min(found):
            spread = f"from {min(found):,.0f} to {max(found):,.0f} tokens/s"
            print(f"note: the rounds of {worker.module} were not alike, {spread}", file=sys.stderr)
    return rates


def serve(prepare: Callable[[], tuple[Callable[[], int], str]], needs: str) -> None:
    """Be a worker: ``prepare`` returns what makes the tokens of one round, and what to say of itself.

    Two rounds are made before any is timed, and one before each. Where the module ``needs`` is missing, that is said.
    """
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is no answer
    try:
        produce, about = prepare()
    except ModuleNotFoundError as error:
        if error.name != needs:
            raise
        print(json.dumps({"missing": f"{sys.executable} has no {needs}"}), file=answers, flush=True)
        return
    produce()
    produce()
    print(json.dumps({"about": about}), file=answers, flush=True)
    for _ in sys.stdin:
        produce()  # those whose turn it was meanwhile have the caches
        started = time.perf_counter()
        tokens = produce()
        seconds = time.perf_counter() - started
        print(json.dumps({"tokens": tokens, "seconds": seconds}), file=answers, flush=True)
