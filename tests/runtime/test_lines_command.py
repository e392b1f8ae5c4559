"""The lines of standard input in every command: a bad one is named, and those before it are answered."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from genrun.cli.group import run
from genrun.cli.io import line_reader
from genrun.cli.io.line_reader import LineError
from genrun.cli.io.prompt_source import PromptSource
from genrun.errors import PromptError
from support.distributions import Site

REFUSING = """\
from dataclasses import dataclass

import genrun

@dataclass(frozen=True)
class Refusing:
    def choose(self, logits, tokens, draws):
        raise genrun.OptionError("this decoder wants something else")
"""

COMMANDS = pytest.mark.parametrize("command", ["generate", "generate --stream", "score", "suggest"])


@pytest.fixture
def command_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandRun:
    return CommandRun(monkeypatch, capsys)


class CommandRun:
    """Runs commands with lines on standard input."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: object, stdin: bytes | io.BytesIO) -> tuple[object, list[str], str]:
        """Return exit status, the lines of stdout, and stderr."""
        buffer = io.BytesIO(stdin) if isinstance(stdin, bytes) else stdin
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(buffer, "utf-8"))
        self._monkeypatch.setattr(sys, "argv", ["genrun", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            run()
        printed = self._capsys.readouterr()
        return ended.value.code, printed.out.splitlines(), printed.err


def asked(command: str, model: Path) -> list[object]:
    name, *options = command.split()
    return [name, model, "-", *options, *(["-q"] if name == "generate" else ["-n", "1"] if name == "suggest" else [])]


@COMMANDS
def test_a_line_that_is_no_text_is_named_after_the_answers_to_those_before_it(
    alphabet_file: Path, command_run: CommandRun, command: str
) -> None:
    status, out, err = command_run(*asked(command, alphabet_file), stdin=b"a\nb\nc\n\xff\nd\n")
    assert (status, err) == (1, "error: standard input, line 4: a text must be UTF-8\n")
    assert len([line for line in out if line]) == 3


@COMMANDS
def test_a_line_that_is_too_long_is_named_although_it_was_found_while_looking_ahead(
    alphabet_file: Path, command_run: CommandRun, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_reader, "_LONGEST_BYTES", 50)
    monkeypatch.setattr(line_reader, "_BLOCK_BYTES", 8)
    status, out, err = command_run(*asked(command, alphabet_file), stdin=b"a\nb\nc\n" + b"d" * 100)
    assert (status, err) == (1, "error: standard input, line 4: a text must not be longer than 16 MiB\n")
    assert len([line for line in out if line]) == 3


@COMMANDS
def test_a_byte_order_mark_alone_is_no_text(alphabet_file: Path, command_run: CommandRun, command: str) -> None:
    status, out, _ = command_run(*asked(command, alphabet_file), stdin=b"\xef\xbb\xbf")
    assert (status, out) == (0, [])


@pytest.mark.parametrize("form", [[], ["--stream"]])
def test_what_a_decoder_raises_is_not_blamed_on_a_line(
    alphabet_file: Path, command_run: CommandRun, installed: Site, form: list[str]
) -> None:
    installed.install("acme", {"genrun.decoders": {"refusing": "acme_r:Refusing"}}, acme_r=REFUSING)
    arguments = ("generate", alphabet_file, "-", "-q", "--decoder", "refusing", *form)
    _, _, err = command_run(*arguments, stdin=b"a\nb\n")
    assert "this decoder wants something else" in err
    assert "standard input" not in err


def test_a_source_is_read_in_blocks_of_what_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    (tmp_path / "more.txt").write_bytes(b"m\n\xff\n")
    with open(reading, encoding="utf-8") as stdin, open(writing, "wb", buffering=0) as sink:
        monkeypatch.setattr(sys, "stdin", stdin)
        with PromptSource(["x", "y", "-", "z"], str(tmp_path / "more.txt")) as source:
            blocks = iter(source)
            assert next(blocks) == ["x", "y"]  # nothing has been written to standard input yet
            assert str(source.located(PromptError("bad"), 1)) == "bad"
            sink.write(b"a\nb\nc")
            assert next(blocks) == ["a", "b"]
            sink.write(b"d\ne\n")
            assert next(blocks) == ["cd", "e"]
            assert str(source.located(PromptError("bad"), 1)) == "standard input, line 4: bad"
            sink.close()
            assert next(blocks) == ["z"]
            assert str(source.located(PromptError("bad"), 0)) == "bad"
            assert next(blocks) == ["m"]
            with pytest.raises(LineError, match=r"more.txt, line 2: a text must be UTF-8$"):
                next(blocks)


@COMMANDS
def test_a_line_that_arrives_alone_is_answered_before_the_next_one_is_read(
    alphabet_file: Path, command_run: CommandRun, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    class LineByLine(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            answers.append(len([line for line in capsys.readouterr().out.splitlines() if line]))
            return self.readline()

    answers: list[int] = []  # printed before each line was read
    status, _, _ = command_run(*asked(command, alphabet_file), stdin=LineByLine(b"a\nb\nc\n"))
    assert (status, answers) == (0, [0, 1, 1, 1])
