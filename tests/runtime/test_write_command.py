"""``genrun write`` on a terminal: candidates, typing, undo, more, keep; and what it leaves behind."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from genrun.cli.drafting import Draft
from support.alphabet import letters, write_model

Say = Callable[[str], str]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Callable[..., Say]]:
    """Starts the command in a pseudo-terminal; what is returned types a line and returns what is shown then."""
    model = write_model(tmp_path / "letters.onnx", letters("word"), max_new_tokens=5)
    started: list[tuple[subprocess.Popen[bytes], int]] = []

    def start(*arguments: str) -> Say:
        ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "genrun", "write", str(model), "-o", str(tmp_path / "texts.txt")]
        options = ["--seed", "1", "--device", "cpu", "--words", "2", "--phrases", "1", *arguments]
        process = subprocess.Popen([*command, *options], stdin=theirs, stdout=theirs, stderr=theirs)
        os.close(theirs)
        started.append((process, ours))

        def until_asked() -> str:
            shown = b""
            while not shown.endswith(b"> "):
                try:
                    read = os.read(ours, 4096)
                except OSError:  # the command has closed its side
                    read = b""
                if not read:
                    process.wait()
                    break
                shown += read
            return shown.decode().replace("\r\n", "\n")

        def say(line: str) -> str:
            if line != "START":
                os.write(ours, f"{line}\n".encode())
            return until_asked()

        return say

    yield start
    for process, ours in started:
        process.kill()
        process.wait()
        os.close(ours)


def story(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "texts.txt.jsonl").read_text().splitlines()]


def test_a_text_is_written_in_turns_kept_and_its_making_told(desk: Callable[..., Say], tmp_path: Path) -> None:
    say = desk("a")
    first = say("START")
    assert "\na\n" in first
    assert "   1  b" in first
    assert "   3  b c d e f" in first
    assert "\na b\n" in say("1")
    assert "   1  c" not in say("")
    assert "\na b x y\n" in say("x y")
    assert "\na b\n" in say("/undo")
    assert "\na b 1\n" in say(" 1")
    say("/u")
    assert "there is no candidate 9" in say("9")
    assert "\na b c d e f g\n" in say("3")
    assert "kept: a b c d e f g\n" in say("/keep")
    assert (tmp_path / "texts.txt").read_text() == "a b c d e f g\n"
    [told] = story(tmp_path)
    assert (told["kept"], told["text"], told["start"], told["seed"]) == (True, "a b c d e f g", "a", 1)
    actions = [(event["action"], event["text"]) for event in told["events"]]
    assert actions == [
        ("word", "a b"),
        ("typed", "a b x y"),
        ("undo", "a b"),
        ("typed", "a b 1"),
        ("undo", "a b"),
        ("phrase", "a b c d e f g"),
    ]
    assert told["events"][-1]["offered"][told["events"][-1]["number"] - 1] == "c d e f g"
    say("/quit")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["letters.onnx", "texts.txt", "texts.txt.jsonl"]


def test_a_text_that_was_not_kept_is_continued_the_next_time(desk: Callable[..., Say], tmp_path: Path) -> None:
    say = desk("a")
    say("START")
    say("/k")
    say("1")
    say("1")
    again = desk()
    shown = again("START")
    assert "the text of the last time:\n\na b c\n" in shown
    assert "\na b\n" in again("/undo")
    again("/keep")
    again("/quit")
    assert (tmp_path / "texts.txt").read_text() == "a\na b\n"
    assert [(each["kept"], each["text"]) for each in story(tmp_path)] == [(True, "a"), (True, "a b")]


def test_a_file_of_another_kind_is_left_alone(desk: Callable[..., Say], tmp_path: Path) -> None:
    (tmp_path / "texts.txt.jsonl").write_text('{"kept": true}\n')
    assert "texts.txt.jsonl, line 1: not written by genrun write" in desk()("START")
    assert (tmp_path / "texts.txt.jsonl").read_text() == '{"kept": true}\n'


def test_typed_text_is_joined_as_one_writes_it() -> None:
    draft = Draft()
    for typed in ("The sea", "rises", ", and", " falls", "."):
        draft.type(typed)
    assert draft.text == "The sea rises, and falls."
    assert Draft.of("", draft.events).text == draft.text
    assert [draft.undo() for _ in range(6)] == [True] * 5 + [False]
    assert (draft.text, Draft.of("", draft.events).undo()) == ("", False)
