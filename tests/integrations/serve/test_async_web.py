"""The example of an async web application as a process: texts come in pieces, and clients leave without harm."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import genrun
from support.alphabet import letters, write_model

PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tokenizer = letters("word", ["pad", "unk", "start"])
    return write_model(tmp_path_factory.mktemp("async") / "alphabet.onnx", tokenizer, choosing=True)


@pytest.fixture
def server(repository: Path, model_file: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The process, and its port."""
    program = repository / "examples" / "async-web" / "app.py"
    process = subprocess.Popen([sys.executable, program, model_file, "0"], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    line = ""
    while "running on" not in line:
        line = process.stderr.readline()
        assert line, "the server has ended"
    yield process, int(line.split("http://127.0.0.1:")[1].split()[0])
    process.kill()
    process.communicate()


def test_a_text_comes_while_clients_leave_and_the_server_ends_when_it_is_told_to(
    server: tuple[subprocess.Popen[str], int], model_file: Path
) -> None:
    process, port = server
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /text?prompt=a HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(12) == b"HTTP/1.1 200"
    address = f"http://127.0.0.1:{port}/text?prompt=a+b&seed=7"
    with urllib.request.urlopen(address, timeout=PATIENCE_SECONDS) as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        text = answer.read().decode()
    assert text == genrun.load(model_file, device="cpu").generate("a b", seed=7, max_new_tokens=50)
    process.send_signal(signal.SIGTERM)
    _, logged = process.communicate(timeout=PATIENCE_SECONDS)
    assert "Traceback" not in logged
    assert process.returncode == -signal.SIGTERM  # uvicorn ends by the signal once its answers are sent
