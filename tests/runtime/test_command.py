"""``genrun`` as a shell runs it: pipes, exit statuses, and no traceback ever."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import genrun

GENRUN = [sys.executable, "-m", "genrun"]


def shell(*arguments: object, stdin: bytes = b"", **variables: str) -> subprocess.CompletedProcess[bytes]:
    command = [*GENRUN, *(a if isinstance(a, bytes) else str(a) for a in arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, env={**os.environ, **variables}, check=False)


def test_text_goes_to_stdout_and_everything_else_to_stderr(alphabet_file: Path) -> None:
    done = shell("generate", alphabet_file, "-", "--seed", 0, "--device", "cpu", stdin="a\néa\n".encode())
    assert done.stdout.decode() == "abcdef\néabcdef\n"
    assert done.stderr.decode().splitlines() == [
        "cpu (asked for), seed 0",
        "note: not in the model's vocabulary: 'é' (in 'éa')",
    ]
    assert done.returncode == 0


def test_an_error_is_one_line_and_status_1(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"\x08\x08not a model")
    done = shell("generate", broken)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(f"error: {broken} is not a readable ONNX model: ".encode())
    assert done.stderr.count(b"\n") == 1


def test_wrong_usage_is_status_2_with_the_nearest_command() -> None:
    done = shell("veryfy")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"no such command 'veryfy'; did you mean 'verify'?" in done.stderr


def test_a_prompt_that_is_not_utf8_is_an_error_with_its_line(alphabet_file: Path) -> None:
    done = shell("generate", alphabet_file, "-", "-q", "--stream", stdin=b"a\n\xff\n")
    assert (done.returncode, done.stdout) == (1, b"abcdef\n")
    assert done.stderr == b"error: standard input, line 2: a text must be UTF-8\n"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_any_prompt_and_any_terminal_end_without_a_traceback(alphabet_file: Path, encoding: str) -> None:
    for prompt in (b"\xff\xfea", "é말”".encode()):
        done = shell("generate", alphabet_file, prompt, "-q", PYTHONIOENCODING=f"{encoding}:strict")
        lines = done.stderr.decode(encoding, "replace").splitlines()
        assert [line.split(":")[0] for line in lines] == ["note", "error"][: 1 + done.returncode]
        assert done.returncode in (0, 1)


@pytest.mark.parametrize("stream", [[], ["--stream"], ["--json"]])
def test_a_reader_that_has_gone_is_no_error(alphabet_file: Path, stream: list[str]) -> None:
    writer = subprocess.Popen(
        [*GENRUN, "generate", str(alphabet_file), "-", "-q", *stream],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdout.close()  # as ``| head`` does, before anything is written
    _, printed = writer.communicate(b"a\n" * 5000)
    assert printed == b""
    assert writer.returncode == 0


def test_the_version_is_the_packages() -> None:
    assert shell("--version").stdout.decode() == f"genrun, version {genrun.__version__}\n"


@pytest.mark.parametrize(("given", "used"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")])
def test_our_own_commands_start_no_threads_that_they_do_not_need(given: dict[str, str], used: str) -> None:
    code = (
        "import os, sys; from genrun.cli import main; sys.argv[1:] = ['plugins', '--help']\n"
        "try: main()\nfinally: print(os.environ['OPENBLAS_NUM_THREADS'], 'numpy' in sys.modules)"
    )
    outside = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=outside | given, check=True)
    assert done.stdout.decode().splitlines()[-1] == f"{used} False"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-"])
def test_what_a_shell_has_closed_is_empty(alphabet_file: Path, closed: str) -> None:
    command = f"'{sys.executable}' -m genrun generate '{alphabet_file}' a - b -q --max-new-tokens 1 {closed}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, stdin=subprocess.DEVNULL, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (b"" if ">" in closed else b"ab\nbc\n")
