"""Ctrl-C and SIGTERM at any moment: an answer at once, the documented status, no traceback, whole lines."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, TypeAlias

import pytest

from support.distributions import DECODER, Site

GENRUN = [sys.executable, "-m", "genrun"]
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143}
KILLS = int(os.environ.get("GENRUN_KILLS", "4"))  # 200 before a release
PATIENCE_SECONDS = 60  # of a test that hangs; nothing is measured

Process: TypeAlias = "subprocess.Popen[bytes]"

# Sends its own process a signal while it is imported, and makes another error of what the signal raises.
SENDS = """\
import os, signal
try:
    os.kill(os.getpid(), signal.{name})
    for _ in range(10**6): pass
except BaseException as error:
    {answer}
"""
ANSWERS = {
    "raised": "raise",
    "another error": "raise ImportError('initialization failed') from error",
    "swallowed": "pass",
}

# Sends its own process one signal after the other, without an end and without a moment for a handler of Python.
BUSY = """
import collections, ctypes, itertools, os
kill = ctypes.PyDLL(None).kill
collections.deque(map(kill, itertools.repeat(os.getpid()), itertools.repeat(%d)), maxlen=0)
"""

number = pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)


def environment(folder: Path) -> dict[str, str]:
    """Return variables that put a folder before all others on Python's path."""
    path = [str(folder), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("module", ["click", "numpy", "onnxruntime"])
@number
def test_a_signal_during_an_import_ends_every_command_with_its_status(
    alphabet_file: Path, tmp_path: Path, number: signal.Signals, module: str, answer: str
) -> None:
    (tmp_path / f"{module}.py").write_text(SENDS.format(name=number.name, answer=ANSWERS[answer]))
    command = [*GENRUN, "generate", str(alphabet_file), "a", "-q"]
    done = subprocess.run(command, capture_output=True, env=environment(tmp_path), check=False)
    assert (done.returncode, done.stdout) == (STATUS[number], b"")
    assert done.stderr in (b"", b"interrupted\n")


@number
def test_a_signal_while_a_plugin_is_imported_ends_the_command_with_its_status(
    alphabet_file: Path, installed: Site, number: signal.Signals
) -> None:
    source = SENDS.format(name=number.name, answer=ANSWERS["another error"])
    installed.install("acme", {"genrun.decoders": {"lowest": "acme_s:Lowest"}}, acme_s=DECODER + source)
    command = [*GENRUN, "generate", str(alphabet_file), "a", "-q", "--decoder", "lowest"]
    done = subprocess.run(command, capture_output=True, env=environment(installed.folder), check=False)
    assert (done.returncode, done.stdout) == (STATUS[number], b"")
    assert done.stderr == (b"interrupted\n" if number == signal.SIGINT else b"")


@pytest.mark.parametrize("command", ["generate", "score", "suggest"])
@number
def test_a_command_that_waits_for_a_line_is_ended_by_a_signal(
    alphabet_file: Path, number: signal.Signals, command: str
) -> None:
    with started(command, alphabet_file, "-", "--json") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"ab\n")
        process.stdin.flush()
        assert process.stdout.readline()
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == STATUS[number]
        assert process.stdout.read() == b""


@number
def test_a_second_signal_ends_a_process_that_native_code_keeps_busy(
    alphabet_file: Path, installed: Site, number: signal.Signals
) -> None:
    installed.install("acme", {"genrun.decoders": {"lowest": "acme_b:Lowest"}}, acme_b=DECODER + BUSY % number)
    command = [*GENRUN, "generate", str(alphabet_file), "a", "--decoder", "lowest"]
    done = subprocess.run(
        command, capture_output=True, env=environment(installed.folder), check=False, timeout=PATIENCE_SECONDS
    )
    assert done.returncode == -number  # for a shell, 128 more than the number
    assert b"Traceback" not in done.stderr


def test_a_signal_that_was_ignored_when_the_command_began_stays_ignored(alphabet_file: Path) -> None:
    """As for what a shell puts into the background: Ctrl-C is for the foreground."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = start("generate", alphabet_file, "-", "-q", "--max-new-tokens", "1")
    finally:
        signal.signal(signal.SIGINT, before)
    with ended(process):
        assert process.stdin is not None
        assert process.stdout is not None
        for line, answer in ((b"a\n", b"ab\n"), (b"c\n", b"cd\n")):
            process.stdin.write(line)
            process.stdin.flush()
            assert process.stdout.readline() == answer
            process.send_signal(signal.SIGINT)
        process.stdin.close()
        assert process.wait(PATIENCE_SECONDS) == 0


@number
def test_a_signal_ends_a_command_although_nobody_takes_its_texts(
    alphabet_file: Path, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "prompts.txt").write_text("a\n" * 100_000)
    with started("generate", alphabet_file, "--prompts", tmp_path / "prompts.txt", "-q") as process:
        assert process.stdout is not None
        wait_until_full(process.stdout)
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == STATUS[number]
        out = process.stdout.read()
    assert set(out.splitlines(keepends=True)) == {b"abcdef\n"}


def wait_until_full(pipe: IO[bytes]) -> None:
    """Wait until a pipe takes no more: nothing comes in, and there is not room for another write."""
    until = time.monotonic() + PATIENCE_SECONDS
    while waiting(pipe) + os.fpathconf(pipe.fileno(), "PC_PIPE_BUF") <= 2**16:
        assert time.monotonic() < until
        time.sleep(0.01)


def waiting(pipe: IO[bytes]) -> int:
    size: int
    [size] = struct.unpack("i", fcntl.ioctl(pipe.fileno(), termios.FIONREAD, b"\0" * 4))
    return size


def test_kills_at_random_moments_leave_whole_lines_of_the_right_texts(alphabet_file: Path, tmp_path: Path) -> None:
    """GENRUN_KILLS=200 kills that many."""
    letters = "abcdefghijklmnopqrst"
    asked = [letters[i % 20] for i in range(300_000)]
    (tmp_path / "prompts.txt").write_text("".join(f"{letter}\n" for letter in asked))
    moments = random.Random(5)
    for kill in range(KILLS):
        how = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)[kill % 3]
        with (tmp_path / "prompts.txt").open("rb") as prompts:
            process = start("generate", alphabet_file, "--prompts", "-", "-q", stdin=prompts)
        with ended(process):
            assert process.stdout is not None
            out = process.stdout.read(moments.randrange(1, 60_000))
            process.send_signal(how)
            out += process.stdout.read()
            assert process.wait(PATIENCE_SECONDS) == STATUS.get(how, -how)
        assert out.endswith(b"\n")
        texts = out.decode().split("\n")[:-1]
        assert len(texts) < len(asked)
        assert texts == [(letters + "uvwxyz")[letters.index(letter) :][:6] for letter in asked[: len(texts)]]


def start(*arguments: object, env: dict[str, str] | None = None, stdin: int | IO[bytes] = subprocess.PIPE) -> Process:
    command = [*GENRUN, *map(str, arguments)]
    return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)


@contextmanager
def ended(process: Process) -> Iterator[Process]:
    """Leave no process behind."""
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def started(*arguments: object, env: dict[str, str] | None = None) -> AbstractContextManager[Process]:
    return ended(start(*arguments, env=env))
