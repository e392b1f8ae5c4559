"""``genrun serve`` as a process: it starts, answers, and finishes what it accepted when it is told to stop."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from genrun.cli.serve import command
from genrun.model import Model

PATIENCE_SECONDS = 120


@pytest.fixture
def serving(letter_words: Model, alphabet_file: Path, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of two models, and its address."""
    key = tmp_path / "key"
    key.write_text("s3cret\n")
    arguments = [
        "serve",
        f"letters={letter_words.path}",
        alphabet_file,
        "--port",
        "0",
        "--key-file",
        key,
        "--device",
        "cpu",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "genrun", *map(str, arguments)], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    first = process.stderr.readline()
    assert first.startswith("http://127.0.0.1:"), first
    assert first.endswith("serves letters (cpu, vocabulary 27), alphabet (cpu, vocabulary 30)\n")
    yield process, first.split()[0]
    process.kill()
    process.communicate()


def metrics(address: str) -> urllib.request.Request:
    return urllib.request.Request(f"{address}metrics", headers={"Authorization": "Bearer s3cret"})


def ask(address: str, **body: Any) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Authorization": "Bearer s3cret"}
    request = urllib.request.Request(f"{address}v1/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def test_a_signal_ends_the_server_once_accepted_texts_are_finished(
    serving: tuple[subprocess.Popen[str], str], letter_words: Model
) -> None:
    process, address = serving
    body: dict[str, Any] = {"model": "letters", "prompt": "a", "max_tokens": 3000, "n": 4, "decoder": "temperature:3"}
    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(ask, address, **body, seed=seed) for seed in range(4)]
        running = 0.0
        while running < 16:  # all that were asked for: a request after the signal is refused
            figures = urllib.request.urlopen(metrics(address)).read().decode()
            running = float(figures.split("\nvllm:num_requests_running ")[1].split("\n")[0])
        process.send_signal(signal.SIGTERM)
        texts = [answer.result()["choices"][3]["text"] for answer in answers]
    logged = [json.loads(line) for line in process.communicate(timeout=PATIENCE_SECONDS)[1].splitlines()]
    assert process.returncode == 0
    assert [line["status"] for line in logged] == [200] * 4
    choices: dict[str, Any] = {"n": 4, "max_new_tokens": 3000, "decoder": "temperature:3"}
    alone = [letter_words.generate_many(["a"], seed=seed, **choices)[3].continuation for seed in range(4)]
    assert texts == alone


def test_wrong_arguments_are_one_line(alphabet_file: Path, tmp_path: Path) -> None:
    def failed(*arguments: object) -> str:
        result = CliRunner().invoke(command, [str(each) for each in arguments])
        assert result.exit_code != 0
        return str(result.exception) or result.output

    empty = tmp_path / "empty"
    empty.touch()
    assert "two models have the name 'alphabet'" in failed(alphabet_file, alphabet_file)
    assert "rows must be above 0" in failed(alphabet_file, "--rows", "0")
    assert "the key is empty" in failed(alphabet_file, "--key-file", empty)
    assert f"cannot read a key of ASCII characters from {tmp_path}: " in failed(alphabet_file, "--key-file", tmp_path)
    for content, said in [("schlüssel", "a key of ASCII characters"), ("two\nlines", "one line of ASCII characters")]:
        empty.write_text(content, "utf-8")
        assert said in failed(alphabet_file, "--key-file", empty)
    assert "grace-seconds must be from 0 to 86400, not nan" in failed(alphabet_file, "--grace-seconds", "nan")
    assert "cannot listen on 203.0.113.1, port 80: " in failed(alphabet_file, "--host", "203.0.113.1", "--port", "80")
    assert "cannot open the model file" in failed(tmp_path / "nothing.onnx")
