"""``genrun generate --prompts`` as a shell runs it: long files, slow and endless pipes, and ends in the middle."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

LETTERS = "abcdefghijklmnopqrstuvwxyz"


class Commands:
    """Starts commands and leaves none behind."""

    def __init__(self) -> None:
        self._started: list[subprocess.Popen[bytes]] = []
        self._feeding: list[threading.Thread] = []

    def start(self, model: Path, *arguments: object, **streams: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "genrun", "generate", str(model), *map(str, arguments), "--seed", "1"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self._started.append(subprocess.Popen(command, **{**pipes, **streams}))
        return self._started[-1]

    def generate(self, model: Path, *arguments: object, stdin: bytes = b"") -> tuple[int, str, str]:
        """Run a command to its end; return its status and what it printed."""
        process = self.start(model, *arguments)
        out, err = process.communicate(stdin)
        return process.returncode, out.decode(), err.decode()

    def feed(self, process: subprocess.Popen[bytes], lines: Iterable[str]) -> None:
        """Write lines to a process from a thread of their own, until it takes no more."""

        def write() -> None:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                for line in lines:
                    process.stdin.write(f"{line}\n".encode())
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()

        self._feeding.append(threading.Thread(target=write))
        self._feeding[-1].start()

    def close(self) -> None:
        for process in self._started:
            process.kill()
        for thread in self._feeding:
            thread.join()
        for process in self._started:
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


@pytest.fixture
def commands() -> Iterator[Commands]:
    made = Commands()
    yield made
    made.close()


def prompts(count: int) -> list[str]:
    return [LETTERS[number % 20 : number % 20 + 1 + number % 3] for number in range(count)]


def answers(asked: Iterable[str]) -> list[str]:
    """What the alphabet says after each prompt, three letters more."""
    return [LETTERS[LETTERS.index(prompt[0]) :][: len(prompt) + 3] for prompt in asked]


def test_a_file_of_prompts_gives_a_line_for_each_in_their_order(
    commands: Commands, alphabet_file: Path, tmp_path: Path
) -> None:
    asked = prompts(3000)
    file = tmp_path / "prompts.txt"
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(asked).encode())
    expected = answers(asked)
    assert commands.generate(alphabet_file, "--prompts", file, "--max-new-tokens", 3, "-q") == (
        0,
        "".join(f"{line}\n" for line in expected),
        "",
    )
    status, out, _ = commands.generate(
        alphabet_file, "--prompts", "-", "--max-new-tokens", 3, "--json", "-n", 2, stdin=file.read_bytes()
    )
    results = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [(result["text"], result["sample"]) for result in results] == [
        (line, sample) for line in expected for sample in range(2)
    ]
    assert all(result["tokens_per_second"] > 0 for result in results)


def test_arguments_come_before_the_lines_of_the_file(commands: Commands, alphabet_file: Path, tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("c\n\nd", "utf-8")
    asked = ("a", "-", "b", "--prompts", tmp_path / "prompts.txt", "--max-new-tokens", 1, "-q")
    assert commands.generate(alphabet_file, *asked, stdin=b"x\n")[:2] == (0, "ab\nxy\nbc\ncd\na\nde\n")
    assert commands.generate(alphabet_file, "--stream", *asked, stdin=b"x\n")[:2] == (0, "ab\nxy\nbc\ncd\na\nde\n")
    (tmp_path / "none.txt").write_bytes(b"")
    assert commands.generate(alphabet_file, "--prompts", tmp_path / "none.txt", "-q")[:2] == (0, "")


def test_errors_name_the_line_and_come_after_the_results_before_it(
    commands: Commands, alphabet_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "prompts.txt"
    file.write_bytes(b"a\n" * 500 + b"\xff\nb\n")
    status, out, err = commands.generate(alphabet_file, "--prompts", file, "--max-new-tokens", 1, "-q")
    assert (status, out) == (1, "ab\n" * 500)
    assert err == f"error: {file}, line 501: a text must be UTF-8\n"
    status, out, err = commands.generate(alphabet_file, "--prompts", tmp_path / "none.txt", "-q")
    assert (status, out, err) == (1, "", f"error: {tmp_path / 'none.txt'}: No such file or directory\n")


def test_a_prompt_with_nothing_to_begin_from_is_an_error_with_its_line(commands: Commands, letter_words: Any) -> None:
    for stream in ([], ["--stream"]):
        status, out, err = commands.generate(letter_words.path, "a", "-", "-q", *stream, stdin=b"b\n\nc\n")
        assert (status, len(out.splitlines())) == (1, 2)
        assert err == (
            "error: standard input, line 2: the prompt is empty and this model has no <start>: "
            "give at least one word\n"
        )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_what_a_killed_process_has_printed_are_whole_lines(
    commands: Commands, alphabet_file: Path, tmp_path: Path, how: signal.Signals, form: list[str], interruptible: None
) -> None:
    asked = prompts(200_000)
    process = commands.start(alphabet_file, "-", "--max-new-tokens", 3, *form)
    commands.feed(process, asked)
    assert process.stdout is not None
    out = process.stdout.read(100_000)
    process.send_signal(how)
    out += process.stdout.read()
    assert process.wait() == {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}[how]
    assert out.endswith(b"\n")
    lines = out.decode().splitlines()
    texts = [json.loads(line)["text"] for line in lines] if form else lines
    assert 300 < len(texts) < len(asked)
    assert texts == answers(asked[: len(texts)])
    assert process.stderr is not None
    assert process.stderr.read().split()[-1:] == ([b"interrupted"] if how == signal.SIGINT else [b"1"])


def test_a_reader_that_has_had_enough_ends_it_quietly(commands: Commands, alphabet_file: Path) -> None:
    process = commands.start(alphabet_file, "--prompts", "-", "--max-new-tokens", 3, "-q")
    asked = prompts(200_000)
    commands.feed(process, asked)
    assert process.stdout is not None
    assert process.stderr is not None
    first = [process.stdout.readline().decode().rstrip("\n") for _ in range(10)]
    process.stdout.close()
    assert first == answers(asked[:10])
    assert process.wait() == 0
    assert process.stderr.read() == b""


def test_a_prompt_is_answered_although_the_next_one_is_still_to_come(commands: Commands, alphabet_file: Path) -> None:
    process = commands.start(alphabet_file, "--prompts", "-", "--max-new-tokens", 1, "-n", 2, "-q")
    assert process.stdin is not None
    assert process.stdout is not None
    for line, answer in ((b"a\n", b"ab\n"), (b"x\n", b"xy\n"), (b"b\nc", b"bc\n"), (b"\n", b"cd\n")):
        process.stdin.write(line)
        process.stdin.flush()
        assert [process.stdout.readline() for _ in range(2)] == [answer, answer]
    out, err = process.communicate()
    assert (process.returncode, out, err) == (0, b"", b"")


@pytest.mark.parametrize("source", [["-"], ["--prompts", "-"]], ids=["an argument", "an option"])
def test_an_argument_does_not_wait_for_the_first_line(
    commands: Commands, alphabet_file: Path, source: list[str]
) -> None:
    process = commands.start(alphabet_file, "a", *source, "--max-new-tokens", 1, "-q")
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"ab\n"  # nothing has been written to it yet
    process.stdin.write(b"c\n")
    process.stdin.close()
    assert process.stdout.read() == b"cd\n"
    assert process.wait() == 0


def test_a_pipe_that_does_not_let_anybody_wait_is_waited_for(commands: Commands, alphabet_file: Path) -> None:
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    process = commands.start(alphabet_file, "--prompts", "-", "--max-new-tokens", 1, "-q", stdin=ours)
    assert process.stdout is not None
    for prompt, answer in ((b"a\n", b"ab\n"), (b"c\n", b"cd\n")):
        os.write(theirs, prompt)
        assert process.stdout.readline() == answer
    os.close(theirs)
    os.close(ours)
    assert (process.wait(), process.stdout.read()) == (0, b"")


def test_two_files_are_refused_and_none_at_all_is_told(
    commands: Commands, alphabet_file: Path, tmp_path: Path
) -> None:
    status, out, err = commands.generate(alphabet_file, "--prompts", "a", "--prompts", "b")
    assert (status, out) == (2, "")
    assert "--prompts takes one file" in err
    (tmp_path / "empty.txt").touch()
    status, out, err = commands.generate(alphabet_file, "--prompts", tmp_path / "empty.txt", "-q")
    assert (status, out, err) == (0, "", "note: there were no prompts\n")


def test_a_file_that_is_named_as_a_prompt_is_told(commands: Commands, alphabet_file: Path, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("c\n")
    asked = ["--max-new-tokens", 1, "-q"]
    status, out, err = commands.generate(alphabet_file, tmp_path / "a", *asked)
    assert (status, len(out.splitlines())) == (0, 1)
    assert f"note: there is a file '{tmp_path / 'a'}'; --prompts {tmp_path / 'a'} takes its lines as prompts\n" in err
    assert commands.generate(alphabet_file, "a", *asked) == (0, "ab\n", "")


def test_standard_error_may_be_closed(alphabet_file: Path) -> None:
    command = f"{sys.executable} -m genrun generate {alphabet_file} a --max-new-tokens 1 --seed 1 2>&-"
    assert subprocess.run(["sh", "-c", command], capture_output=True, check=True).stdout == b"ab\n"


def test_texts_begin_with_one_byte_order_mark_where_one_is_asked_for(alphabet_file: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "genrun",
        "generate",
        str(alphabet_file),
        "a",
        "c",
        "--max-new-tokens",
        "1",
        "-q",
    ]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8-sig"}
    written = subprocess.run(command, capture_output=True, check=True, env=environment).stdout
    assert written == b"\xef\xbb\xbfab\ncd\n"


def test_prompts_are_read_only_as_fast_as_their_texts_are_taken(commands: Commands, alphabet_file: Path) -> None:
    """Nobody takes the texts; pipes hold what they can, and so much is asked for and no more."""
    process = commands.start(alphabet_file, "--prompts", "-", "--max-new-tokens", 3, "-q")
    written = 0

    def endless() -> Iterable[str]:
        nonlocal written
        for line in prompts(10_000_000):
            written += 1
            yield line

    commands.feed(process, endless())
    before = -1
    while not written or written != before:  # until it stands still
        before = written
        time.sleep(0.5)
    texts_in_the_pipe = 2**16 // len("abcd\n")
    lines_in_the_pipe_and_ahead = 2 * 2**16 // len("a\n")
    assert 1000 < written < texts_in_the_pipe + lines_in_the_pipe_and_ahead + 20_000


def test_on_a_terminal_a_bar_tells_count_rates_and_time_left(
    commands: Commands, alphabet_file: Path, tmp_path: Path
) -> None:
    file = tmp_path / "prompts.txt"
    file.write_text("".join(f"{prompt}é\n" for prompt in prompts(3000)), "utf-8")
    ours, theirs = pty.openpty()
    arguments = ("--prompts", file, "--max-new-tokens", 3)
    with (tmp_path / "out.txt").open("wb") as out:
        process = commands.start(alphabet_file, *arguments, stdout=out, stderr=theirs)
        os.close(theirs)
        shown = read_all(ours)
    assert process.wait() == 0
    assert len((tmp_path / "out.txt").read_text("utf-8").splitlines()) == 3000
    assert "generating" in shown
    assert "3000/3000" in shown
    assert " texts/s, " in shown
    assert " tokens/s" in shown
    assert shown.count("note: ") == 6
    assert "note: 1 word in 3,000 prompts is not in the model's vocabulary: 'é'" in shown


def test_where_the_texts_are_on_the_terminal_there_is_no_bar(
    commands: Commands, alphabet_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "prompts.txt").write_text("a\nb\n", "utf-8")
    ours, theirs = pty.openpty()
    arguments = ("--prompts", tmp_path / "prompts.txt", "--max-new-tokens", 3, "--device", "cpu")
    process = commands.start(alphabet_file, *arguments, stdout=theirs, stderr=theirs)
    os.close(theirs)
    assert read_all(ours) == "cpu (asked for), seed 1\r\nabcd\r\nbcde\r\n"
    assert process.wait() == 0


def read_all(terminal: int) -> str:
    """Return all that is written to a pseudo-terminal."""
    parts = []
    try:
        while data := os.read(terminal, 2**16):
            parts.append(data)
    except OSError:  # how Linux says that nobody is left to write
        pass
    os.close(terminal)
    return b"".join(parts).decode()
