"""A running server of small models, and what it says of itself."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import genrun
from genrun.model import Model
from support.alphabet import babble_table, letters, random_drift, words, write_model

PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Running:
    """A server's process, and its ``address`` without a slash at the end."""

    process: subprocess.Popen[str]
    address: str

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"{self.address}{path}", timeout=PATIENCE_SECONDS) as answer:
            text: str = answer.read().decode()
            return text

    def post(self, **body: Any) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.address}/v1/completions", json.dumps(body).encode(), headers)
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
        _, errors = self.process.communicate(timeout=PATIENCE_SECONDS)
        return self.process.returncode, [json.loads(line) for line in errors.splitlines()]


Serve = Callable[..., AbstractContextManager[Running]]


@pytest.fixture(scope="session")
def talker_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draws from 400 words at random."""
    tokenizer = words("the", "council", "what", "mayor", "new", "ferry", *(f"word{i}" for i in range(394)))
    size = len(tokenizer)
    return write_model(
        tmp_path_factory.mktemp("models") / "talker.onnx",
        tokenizer,
        table=babble_table(size),
        drift=random_drift(size),
        decoder="top-k",
        options={"k": 40},
        max_new_tokens=20,
        choosing=True,
    )


@pytest.fixture(scope="session")
def endless_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Says the alphabet for ever."""
    return write_model(tmp_path_factory.mktemp("models") / "endless.onnx", letters("word", ["pad"]))


@pytest.fixture(scope="session")
def talker(talker_file: Path) -> Model:
    return genrun.load(talker_file, device="cpu")


@pytest.fixture(scope="session")
def serve(talker_file: Path, endless_file: Path) -> Serve:
    """Start a server of both models, with more options."""

    @contextlib.contextmanager
    def running(*options: object) -> Iterator[Running]:
        command = [sys.executable, "-m", "genrun", "serve", talker_file, endless_file, "--port", 0, *options]
        process = subprocess.Popen([*map(str, command)], stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        try:
            yield Running(process, process.stderr.readline().split()[0].rstrip("/"))
        finally:
            process.kill()
            process.communicate()

    return running


@pytest.fixture(scope="module")
def server(serve: Serve) -> Iterator[Running]:
    with serve("--log", "none") as running:
        yield running
