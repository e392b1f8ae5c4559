"""What commands print where it is hard: odd encodings, a full or broken stderr, a stdout that takes little."""

from __future__ import annotations

import io
import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from genrun.cli.group import run
from genrun.tokenizer import Tokenizer
from support.alphabet import alphabet_table, letters, write_model
from support.distributions import Site

GENRUN = [sys.executable, "-m", "genrun"]


@pytest.fixture(scope="module")
def hostile_file(folder: Path) -> Path:
    """Says "a", a line break, an escape sequence, an override of the direction; its card has the same."""
    tokenizer = Tokenizer(kind="char", vocabulary=["<end>", "a", "\n", "\x1b", "\u202e", "é", "말"], specials=["end"])
    card = {"\x1b[2J": "\x9b1m", "nested": {"\u202e": ["\x07"]}}
    table = alphabet_table(tokenizer)
    return write_model(folder / "hostile.onnx", tokenizer, table=table, card=card, suppress=(), max_new_tokens=9)


def printed(
    monkeypatch: pytest.MonkeyPatch, encoding: str, arguments: Sequence[object], stdin: bytes = b""
) -> tuple[object, bytes, bytes]:
    """Run a command with streams of an encoding; return its status and what it wrote to them."""
    out, err = io.BytesIO(), io.BytesIO()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding))
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(err, encoding, errors="backslashreplace"))
    monkeypatch.setattr(sys, "argv", ["genrun", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        run()
    return ended.value.code, out.getvalue(), err.getvalue()


COMMANDS = [
    *(["generate", "a"], ["generate", "a", "--stream"], ["generate", "-"], ["score", "-"], ["score", "a\n"]),
    *(["suggest", "-"], ["suggest", "a"], ["suggest", "\x1b"], ["info"]),
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_a_strangers_model_has_no_power_over_the_terminal_in_any_encoding(
    hostile_file: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], encoding: str
) -> None:
    command = [arguments[0], hostile_file, *arguments[1:]]
    stdin = "a\x1b\u202e말é\n".encode()
    status, out, err = printed(monkeypatch, encoding, command, stdin)
    assert status == 0, err
    for character in (out + err).decode(encoding).replace("\n", "").replace("\t", ""):
        assert character.isprintable()
    assert out


@pytest.mark.parametrize("form", [[], ["--stream"]])
def test_a_text_is_one_line_although_the_model_writes_a_line_break(
    hostile_file: Path, monkeypatch: pytest.MonkeyPatch, form: list[str]
) -> None:
    status, out, _ = printed(monkeypatch, "utf-8", ["generate", hostile_file, "a", "a", *form])
    assert (status, out.decode()) == (0, "a\\n\\x1b\\u202eé말\n" * 2)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii"])
def test_json_is_exact_and_valid_in_every_encoding(
    hostile_file: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    def read(*arguments: object) -> dict[str, object]:
        status, out, _ = printed(monkeypatch, encoding, [*arguments, "--json"])
        assert status == 0
        [line] = out.decode(encoding).splitlines()
        document: dict[str, object] = json.loads(line, parse_constant=lambda name: pytest.fail(name))
        return document

    assert read("generate", hostile_file, "a")["text"] == "a\n\x1b\u202eé말"
    assert read("score", hostile_file, "a\n말")["text"] == "a\n말"
    assert read("suggest", hostile_file, "\x1b말")["text"] == "\x1b말"
    described = read("info", hostile_file)
    assert described["model"] == {"\x1b[2J": "\x9b1m"}
    assert described["nested"] == {"\u202e": ["\x07"]}
    figures = {"card": {"loss": math.nan, "ratios": [math.inf, 0.5]}}
    monkeypatch.setattr("genrun.cli.info.describe_model", lambda _: figures)
    assert read("info", hostile_file) == {"card": {"loss": None, "ratios": [None, 0.5]}}


def test_what_is_impossible_to_a_model_is_null_in_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = alphabet_table(letters())
    table[4] = [-float("inf")] * 5 + [0.0] + [-float("inf")] * 24
    file = write_model(tmp_path / "m.onnx", table=table)
    status, out, _ = printed(monkeypatch, "utf-8", ["score", file, "aa", "--json"])
    scored = json.loads(out, parse_constant=lambda name: pytest.fail(name))
    assert (status, scored["log_probability"], scored["perplexity"]) == (0, None, None)
    assert None in scored["token_log_probabilities"]


def test_a_python_in_the_c_locale_prints_every_text(alphabet_file: Path) -> None:
    plain = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONIOENCODING": ""}
    done = run_shell(
        "generate", alphabet_file, "-", "-q", "--max-new-tokens", 1, stdin="éa\n".encode(), variables=plain
    )
    assert (done.returncode, done.stdout) == (0, b"\\xe9ab\n")


def run_shell(
    *arguments: object, stdin: bytes = b"", stderr: int = subprocess.PIPE, variables: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*GENRUN, *map(str, arguments)],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env={**os.environ, **(variables or {})},
        check=False,
    )


@pytest.fixture(params=["a reader that has gone", "a full disk", "a full pipe that nobody may wait for"])
def broken_stderr(request: pytest.FixtureRequest) -> Iterator[int]:
    """A file that takes nothing, or soon nothing more."""
    if request.param == "a full disk":
        descriptor = os.open("/dev/full", os.O_WRONLY)
    else:
        reading, descriptor = os.pipe()
        if request.param == "a reader that has gone":
            os.close(reading)
        else:
            os.set_blocking(descriptor, False)
            threading.Thread(target=drain, args=(reading,), daemon=True).start()
    yield descriptor
    os.close(descriptor)


def drain(descriptor: int) -> None:
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        while pipe.read(100):
            pass


@pytest.mark.parametrize("command", ["generate", "score", "suggest", "wrong usage", "an error"])
def test_a_broken_stderr_loses_no_text_and_changes_no_status(
    alphabet_file: Path, broken_stderr: int, command: str
) -> None:
    lines = b"\xc3\xa9a\n" * 50  # each with a note
    if command == "wrong usage":
        assert run_shell("generate", stderr=broken_stderr).returncode == 2
    elif command == "an error":
        assert run_shell("info", alphabet_file.with_name("none"), stderr=broken_stderr).returncode == 1
    else:
        done = run_shell(command, alphabet_file, "-", stdin=lines, stderr=broken_stderr)
        assert (done.returncode, len(done.stdout.splitlines())) == (0, 50 if command != "suggest" else 299)


@pytest.mark.parametrize("command", ["generate", "score", "suggest"])
def test_a_stdout_that_nobody_may_wait_for_loses_no_line(alphabet_file: Path, command: str) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    asked = "".join(f"{letter}\n" for letter in "abcdefghij" * 40)
    with os.fdopen(reading, "rb") as source:
        process = subprocess.Popen(
            [*GENRUN, command, str(alphabet_file), "-", "--json"], stdin=subprocess.PIPE, stdout=writing
        )
        os.close(writing)
        assert process.stdin is not None
        process.stdin.write(asked.encode())
        process.stdin.close()
        texts = [json.loads(line).get("prompt" if command == "generate" else "text") for line in source]
    assert process.wait() == 0
    assert texts == asked.split()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["generate", "--help"], ["info", "MODEL"]])
def test_a_reader_that_has_gone_ends_every_command_quietly(alphabet_file: Path, arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [*GENRUN, *(str(alphabet_file) if argument == "MODEL" else argument for argument in arguments)]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("arguments", [["--help"], ["generate", "MODEL", "a", "-q"], ["info", "MODEL"]])
def test_a_full_disk_is_one_line_and_status_1(alphabet_file: Path, arguments: list[str]) -> None:
    command = [*GENRUN, *(str(alphabet_file) if argument == "MODEL" else argument for argument in arguments)]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[0].startswith("error: ")
    assert done.stderr.endswith(b"No space left on device\n")
    assert done.stderr.count(b"\n") == 1


@pytest.mark.parametrize("command", ["score", "suggest"])
def test_a_line_is_answered_although_the_next_one_is_still_to_come(alphabet_file: Path, command: str) -> None:
    with subprocess.Popen(
        [*GENRUN, command, str(alphabet_file), "-", "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as asked:
        assert asked.stdin is not None
        assert asked.stdout is not None
        for text in ("ab", "bcd", ""):
            asked.stdin.write(f"{text}\n".encode())
            asked.stdin.flush()
            assert json.loads(asked.stdout.readline())["text"] == text
        asked.stdin.close()
    assert asked.returncode == 0


@pytest.mark.parametrize("arguments", [["--help"], ["plugins"], ["gren"], ["generate", "MODEL", "--decoder", "gred"]])
def test_names_and_errors_of_plugins_have_no_power_over_the_terminal(
    alphabet_file: Path, installed: Site, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    points = {"genrun.decoders": {"\x1b[31mgred": "acme_e:Odd"}, "genrun.commands": {"\x9b2Jgren": "acme_e:odd"}}
    installed.install("acme", points, acme_e="raise ValueError('\\x1b]0;title\\x07\\u202e')")
    _, out, err = printed(
        monkeypatch, "utf-8", [alphabet_file if argument == "MODEL" else argument for argument in arguments]
    )
    assert all(character.isprintable() for character in (out + err).decode().replace("\n", ""))
    assert b"gre" in out + err


def test_a_plugins_error_has_no_power_over_the_terminal(
    alphabet_file: Path, installed: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "raise ValueError('\\x1b]0;title\\x07\\u202e\\n\\x9b2J')"
    installed.install("acme", {"genrun.decoders": {"odd": "acme_f:Odd"}}, acme_f=source)
    status, out, err = printed(monkeypatch, "utf-8", ["generate", alphabet_file, "a", "--decoder", "odd", "-q"])
    assert (status, out, err.count(b"\n")) == (1, b"", 1)
    assert all(character.isprintable() for character in err.decode().replace("\n", ""))
