"""``genrun suggest``: what it prints, and where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import genrun
from genrun.cli.group import cli
from genrun.model import Model
from genrun.tokenizer import Tokenizer
from support.alphabet import alphabet_table, babble_table, words, write_model


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    tokenizer = words("crime", "has", "become", "becomes", "the")
    table = babble_table(len(tokenizer))
    return genrun.load(write_model(folder / "suggest.onnx", tokenizer, table=table, casing="title"), device="cpu")


def invoke(*arguments: object, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(cli, ["suggest", *map(str, arguments)], input=stdin)


def call(*arguments: object, stdin: str | bytes | None = None) -> Result:
    """Run the command, which must succeed."""
    result = invoke(*arguments, stdin=stdin)
    assert result.exception is None, result.output
    return result


def lines(model: Model, text: str, n: int = 5, *, end: bool = False) -> str:
    return "".join(f"{s.probability:.4f}\t{s.text or '<end>'}\n" for s in model.suggest(text, n, end=end))


def test_it_prints_probability_and_word_the_likeliest_first(model: Model) -> None:
    result = call(model.path, "the ")
    assert (result.stdout, result.stderr) == (lines(model, "the "), "")
    assert result.stdout.count("\n") == 5
    assert call(model.path, "the ", "-n", 2).stdout == lines(model, "the ", 2)
    assert call(model.path, "crime has bec", "--device", "cpu").stdout == lines(model, "crime has bec")
    assert {s.text for s in model.suggest("crime has bec")} == {"Become", "Becomes"}
    assert call(model.path, "bec", "-n", 1, "--casing", "upper").stdout.split("\t")[1].startswith("BECOME")


def test_the_end_is_offered_when_it_is_asked_for(model: Model) -> None:
    assert "<end>" not in call(model.path, "the ", "-n", 9).stdout
    shown = call(model.path, "the ", "-n", 9, "--end").stdout
    assert shown == lines(model, "the ", 9, end=True)
    assert shown.count("\t<end>\n") == 1


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_texts_come_from_standard_input_an_empty_line_between_their_words(model: Model, arguments: list[str]) -> None:
    result = call(model.path, *arguments, stdin="the \r\n\ncrime h")
    assert result.stdout == "\n".join([lines(model, text) for text in ("the ", "", "crime h")])


def test_json_is_one_object_a_text(model: Model) -> None:
    result = call(model.path, "é the ", "bec", "--json", "-n", 2)
    assert result.stderr == ""
    assert "é" in result.stdout  # not escaped
    typing = model.typing()
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"text": text, "suggestions": [s.to_json() for s in typing.suggest(text, 2)], "unknown": list(typing.unknown)}
        for text in ("é the ", "bec")
    ]


def test_notes_are_on_stderr(model: Model) -> None:
    result = call(model.path, "the xyzzy has", "the xy")
    assert result.stderr.splitlines() == [
        "note: not in the model's vocabulary: 'xyzzy' (in 'the xyzzy has')",
        "note: no word of the model's vocabulary begins like the last word of 'the xy'",
    ]
    assert result.stdout == "1.0000\tHas\n\n"


def test_characters_that_are_no_print_do_not_reach_the_terminal(tmp_path: Path) -> None:
    tokenizer = Tokenizer(kind="char", vocabulary=["a", "\n", "\x1b", "\t"], specials=[])
    file = write_model(tmp_path / "m.onnx", tokenizer, table=alphabet_table(tokenizer))
    assert [line.split("\t")[1] for line in call(file, "a").stdout.splitlines()] == ["\\n", "a", "\\x1b", "\\t"]


def test_a_half_typed_first_word_does_not_end_it(letter_words: Model) -> None:
    """A model without <start> has nothing to go on from until a word is finished."""
    why = "has no finished word to go on from and this model has no <start>: "
    why += "give at least one word, and a space after it"
    result = call(letter_words.path, "-", "-n", 1, stdin="a\na b\n")
    assert (result.stdout, result.stderr) == ("\n1.0000\tb\n", f"note: standard input, line 1: the text 'a' {why}\n")
    result = call(letter_words.path, "-", "-n", 1, "--json", stdin="a\na b\n")
    first, second = map(json.loads, result.stdout.splitlines())
    error = f"standard input, line 1: the text 'a' {why}"
    assert first == {"text": "a", "suggestions": [], "unknown": [], "error": error}
    assert "error" not in second
    assert result.stderr == ""
    assert call(letter_words.path, "b").stderr == f"note: the text 'b' {why}\n"


def test_persian_and_emoji_are_written_as_they_are(tmp_path: Path) -> None:
    written = [
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\U0001f469\u200d\U0001f52c",
        "\u2764\ufe0f",
        "e\u0301",
    ]
    file = write_model(tmp_path / "m.onnx", words(*written))
    assert {line.split("\t")[1] for line in call(file, "", "-n", 4).stdout.splitlines()} == set(written)


def test_errors_are_the_librarys(model: Model) -> None:
    assert str(invoke(model.path, "a", "--casing", "titel").exception).startswith("unknown casing 'titel'")
    assert invoke(model.path, "a", "-n", 0).exit_code == 2
    assert str(invoke(model.path, "-", stdin=b"a\n\xff\n").exception) == (
        "standard input, line 2: a text must be UTF-8"
    )


def test_a_program_may_ask_line_by_line(model: Model) -> None:
    """A pipe stays open: every line is answered before the next is written."""
    with subprocess.Popen(
        [sys.executable, "-m", "genrun", "suggest", str(model.path), "-", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUTF8": "1"},
    ) as asked:
        assert asked.stdin is not None
        assert asked.stdout is not None
        for text in ("the", "the ", "the b", "the"):
            asked.stdin.write(f"{text}\n".encode())
            asked.stdin.flush()
            answer = json.loads(asked.stdout.readline())
            assert answer["suggestions"] == [s.to_json() for s in model.suggest(text)]
    assert asked.returncode == 0
