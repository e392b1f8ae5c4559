"""One exit status for one reason, in every command: 0 done, 1 the data or the machine, 2 wrong usage."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from genrun import registry
from genrun.cli.group import run
from genrun.cli.io import signals
from support.alphabet import write_model
from support.distributions import Site

WITH_DEVICES = ("generate", "score", "suggest", "verify", "bench")
WITH_MODEL = (*WITH_DEVICES, "info")


@pytest.fixture(autouse=True)
def stdin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nothing to read."""
    (tmp_path / "empty").touch()
    with (tmp_path / "empty").open(encoding="utf-8") as empty:
        monkeypatch.setattr(sys, "stdin", empty)
        yield


def status(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> object:
    monkeypatch.setattr(sys, "argv", ["genrun", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        run()
    return ended.value.code


@pytest.fixture(scope="module")
def golden_file(folder: Path) -> Path:
    from genrun.loading.recorded_checks import GoldenText

    return write_model(folder / "golden.onnx", golden=[GoldenText("a", (2, 4), (5,), "ab", ((5, 10.0),))])


def cases() -> Iterator[tuple[int, list[str]]]:
    """What every command answers to the same mistake."""
    yield 0, ["--help"]
    yield 2, ["--nothing"]
    yield 2, ["nothing"]
    for name in (
        "generate",
        "score",
        "suggest",
        "info",
        "verify",
        "bench",
        "plugins",
        "train",
        "try",
        "export",
        "evaluate",
    ):
        yield 0, [name, "--help"]
        yield 2, [name, "--nothing"]
    for name in ("generate", "score", "suggest", "info", "verify", "bench", "export", "evaluate", "train", "try"):
        yield 2, [name]
    for name in WITH_MODEL:
        yield 1, [name, "nowhere.onnx"]
        yield 1, [name, "FOLDER"]
    for name in WITH_DEVICES:
        for value in ("0", "-1", "soon", "1025"):
            yield 2, [name, "MODEL", "--threads", value]
        for value in ("gpu", "", "CPUExecutionProvder"):
            yield 2, [name, "MODEL", "--device", value]
    for name in ("generate", "bench"):
        for option, value in (("--max-new-tokens", "0"), ("--set", "k=0"), ("--set", "k"), ("--decoder", "gredy")):
            yield 2, [name, "MODEL", option, value]
    for name in ("generate", "suggest"):
        yield 2, [name, "MODEL", "-n", "0"]
        yield 2, [name, "MODEL", "--casing", "titel"]
    yield 2, ["generate", "MODEL", "--seed", "-1"]
    yield 2, ["generate", "MODEL", "--stop", ""]
    yield 2, ["bench", "MODEL", "--batch", "0"]
    yield 2, ["bench", "MODEL", "--tokens", "0"]
    yield 2, ["bench", "MODEL", "--seconds", "0"]
    yield 2, ["train", "corpus.txt", "-o", "run", "--recipe", "nothing"]
    yield 2, ["train", "corpus.txt", "-o", "run", "--set", "epochs=soon"]
    yield 2, ["evaluate", "MODEL", "corpus.txt", "--set", "column=title"]
    yield 1, ["generate", "MODEL", "--prompts", "nowhere.txt"]
    for name in ("generate", "score", "suggest", "info", "verify"):
        yield 0, [name, "MODEL"]


def named(value: int | list[str]) -> str:
    return str(value) if isinstance(value, int) else " ".join(value)


@pytest.mark.parametrize(("expected", "arguments"), list(cases()), ids=named)
def test_the_same_mistake_has_the_same_status_in_every_command(
    golden_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    expected: int,
    arguments: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    places = {"MODEL": golden_file, "FOLDER": tmp_path}
    assert status(monkeypatch, *(places.get(argument, argument) for argument in arguments)) == expected
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    if expected:
        assert printed.out == ""
        assert printed.err.splitlines()[-1].lower().startswith("error: ")


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        ("KeyboardInterrupt", 130),
        ("BrokenPipeError(32, 'Broken pipe')", 1),  # somebody else's pipe: standard output is there
        ("OSError(28, 'No space left on device')", 1),
        ("MemoryError", 1),
        ("genrun.PromptError('no')", 1),
        ("genrun.OptionError('no')", 2),
    ],
)
def test_what_a_command_raises_is_one_line_and_its_status(
    installed: Site, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], raised: str, expected: int
) -> None:
    source = f"import click, genrun\n@click.command()\ndef odd():\n    raise {raised}\n"
    installed.install("acme", {"genrun.commands": {"odd": "acme_odd:odd"}}, acme_odd=source)
    assert [info.name for info in registry.plugins("command")].count("odd") == 1
    assert status(monkeypatch, "odd") == expected
    printed = capfd.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)


@pytest.mark.parametrize("number", [2, 15])
def test_a_signal_decides_the_status_whatever_was_made_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    monkeypatch.setattr(signals, "_received", signal.Signals(number))
    assert status(monkeypatch, "info", "nowhere.onnx") == 128 + number
    assert capsys.readouterr().err == ("interrupted\n" if number == 2 else "")
