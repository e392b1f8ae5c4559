"""A running server of model files, for tests with clients from other packages."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Running:
    """A server's process, its ``address`` without a slash at the end, and its log so far.

    ``reading`` reads the log: a process whose standard error nobody reads stops once the pipe is full.
    """

    process: subprocess.Popen[str]
    address: str
    log: list[str]
    reading: threading.Thread

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.address}{path}", timeout=PATIENCE_SECONDS) as answer:
            text: str = answer.read().decode()
            return text

    def post(self, path: str = "/v1/completions", **body: Any) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def figure(self, name: str) -> float:
        """Return a figure of /metrics, summed over its labels."""
        lines = self.get("/metrics").splitlines()
        return sum([float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name} ", f"{name}{{"))])

    def mebibytes(self) -> float:
        """Return the resident memory of the process."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def threads(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def stop(self) -> tuple[int, list[dict[str, Any]]]:
        """Send SIGTERM; return the exit status and the lines of the log."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE_SECONDS)
        self.reading.join(PATIENCE_SECONDS)
        return status, [json.loads(line) for line in self.log]


@contextlib.contextmanager
def served(*arguments: object) -> Iterator[Running]:
    """Run ``genrun serve`` with these model files and options, on a free port."""
    command = [sys.executable, "-m", "genrun", "serve", *arguments, "--port", 0, "--device", "cpu"]
    process = subprocess.Popen([*map(str, command)], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    first, log = process.stderr.readline(), list[str]()
    reading = threading.Thread(target=log.extend, args=[process.stderr])
    reading.start()
    try:
        assert first.startswith("http"), first + "".join(log)
        yield Running(process, first.split()[0].rstrip("/"), log, reading)
    finally:
        process.kill()
        process.wait()
        reading.join()
        process.stderr.close()
