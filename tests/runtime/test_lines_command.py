"""The lines of standard input in every command: a bad one is named, and those before it are answered."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from genrun.cli.group import run
from genrun.cli.io import line_reader
from genrun.cli.io.texts import Texts
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

    def __call__(self, *arguments: object, stdin: bytes) -> tuple[object, list[str], str]:
        """Return exit status, the lines of stdout, and stderr."""
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
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


def test_texts_come_in_groups_that_wait_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a\nb\nc\n"), "utf-8"))
    texts = Texts(["x", "-", "y"])
    answers = iter([False, True, False])
    monkeypatch.setattr(texts, "waits", lambda: next(answers))
    assert list(texts.groups(2)) == [["x", "a"], ["b"], ["c", "y"]]
