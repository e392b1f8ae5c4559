"""``genrun generate`` with a model that writes line breaks: one text a line, unless lines are asked for."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from genrun.cli.group import run
from genrun.tokenizer import Tokenizer
from support.alphabet import SPECIALS, write_model


@pytest.fixture(scope="module")
def verse_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    vocabulary = [*(f"<{name}>" for name in SPECIALS), "sea", "\n", "sky", "land"]
    tokenizer = Tokenizer(kind="word", vocabulary=vocabulary, specials=SPECIALS, line_breaks=True)
    return write_model(tmp_path_factory.mktemp("verse") / "verse.onnx", tokenizer, max_new_tokens=9)


def generated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
) -> tuple[object, str, str]:
    """Return exit status, stdout and stderr."""
    monkeypatch.setattr(sys, "argv", ["genrun", "generate", *map(str, arguments), "-q"])
    with pytest.raises(SystemExit) as ended:
        run()
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


@pytest.mark.parametrize("stream", [[], ["--stream"]])
def test_one_text_is_one_line_unless_lines_are_asked_for(
    verse_file: Path, stream: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = verse_file, "sea", "sea\nsky", *stream
    assert generated(monkeypatch, capsys, *prompts) == (0, "sea\\nsky land\nsea\\nsky land\n", "")
    assert generated(monkeypatch, capsys, *prompts, "--lines") == (0, "sea\nsky land\n\nsea\nsky land\n\n", "")


def test_json_carries_line_breaks(
    verse_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = generated(monkeypatch, capsys, verse_file, "sea", "--json")
    assert json.loads(out)["text"] == "sea\nsky land"
    status, _, err = generated(monkeypatch, capsys, verse_file, "sea", "--json", "--lines")
    assert status == 2
    assert "--json carries every line break; it does not go with --lines" in err


def test_a_stop_text_names_a_line_break_as_it_is_printed(
    verse_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for stop in ("\\n", "\n"):
        assert generated(monkeypatch, capsys, verse_file, "sea", "--stop", stop)[1] == "sea\n"
    assert generated(monkeypatch, capsys, verse_file, "sea", "--stop", "\\nsky land")[1] == "sea\n"
    assert generated(monkeypatch, capsys, verse_file, "sea", "--stop", "\\n\\n")[1] == "sea\\nsky land\n"
