"""The commands that need only a model file: what they print, and where."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import genrun
from genrun.cli.group import cli, run
from genrun.cli.info import describe_model
from genrun.errors import OptionError
from genrun.loading.device import DeviceWarning
from genrun.loading.recorded_checks import GoldenText
from genrun.model import Model
from support.alphabet import write_model
from support.distributions import DECODER, Site

DEVICES = (
    "accepted: auto, cpu, cuda, or a list of onnxruntime's providers such as "
    "CUDAExecutionProvider,CPUExecutionProvider"
)


def call(*arguments: object, stdin: str | bytes | None = None) -> Result:
    """Run a command that must succeed."""
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments], input=stdin)
    assert result.exception is None, result.output
    assert result.exit_code == 0
    return result


def fail(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Run a command that must fail, as ``genrun`` runs it; return its exit status and what stands on stderr."""
    monkeypatch.setattr(sys, "argv", ["genrun", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        run()
    printed = capsys.readouterr()
    assert printed.out == ""
    assert isinstance(caught.value.code, int)
    return caught.value.code, printed.err


def test_generate_prints_one_text_a_line_for_each_prompt(alphabet_file: Path) -> None:
    result = call("generate", alphabet_file, "a", "x", "--max-new-tokens", 3, "--seed", 7)
    assert result.stdout == "abcd\nxyz\n"
    assert result.stderr.endswith(", seed 7\n")
    assert result.stderr.startswith("cpu (")


def test_generate_without_a_prompt_begins_on_its_own(alphabet_file: Path) -> None:
    assert call("generate", alphabet_file).stdout == "abcde\n"


def test_generate_says_nothing_beside_the_text_when_asked(alphabet_file: Path) -> None:
    assert call("generate", alphabet_file, "a", "-q").stderr == ""


def test_the_seed_that_is_shown_gives_the_same_texts_again(babble_file: Path) -> None:
    first = call("generate", babble_file, "i", "-n", 5, "--device", "cpu")
    seed = first.stderr.removeprefix("cpu (asked for), seed ").strip()
    again = call("generate", babble_file, "i", "-n", 5, "--seed", seed, "-q")
    assert again.stdout == first.stdout
    assert len(set(first.stdout.splitlines())) > 1


def test_json_is_one_object_a_line_and_the_librarys_result(babble_file: Path, babble: Model) -> None:
    result = call("generate", babble_file, "i", "you don’t", "-n", 2, "--seed", 3, "--json")
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    expected = babble.generate_many(["i", "you don’t"], n=2, seed=3)
    wanted = [json.loads(json.dumps(result.to_json())) for result in expected]
    assert all(entry.pop("tokens_per_second") > 0 for entry in (*objects, *wanted))  # no two runs take the same time
    assert objects == wanted
    assert "don’t" in result.stdout  # not escaped


@pytest.mark.parametrize("seed", range(5))
def test_a_stream_prints_what_is_printed_without(babble_file: Path, seed: int) -> None:
    arguments = ("generate", babble_file, "i", "stop , you", "--seed", seed, "--stop", "love", "--casing", "title")
    assert call(*arguments, "--stream").stdout == call(*arguments).stdout


def test_prompts_come_from_standard_input(alphabet_file: Path) -> None:
    result = call("generate", alphabet_file, "m", "-", "w", "--max-new-tokens", 1, stdin="a\nbc\r\n\nd")
    assert result.stdout == "mn\nab\nbcd\na\nde\nwx\n"
    streamed = call("generate", alphabet_file, "-", "--max-new-tokens", 2, "--stream", stdin="a\nb\n")
    assert streamed.stdout == "abc\nbcd\n"


def test_unknown_words_are_noted_on_stderr_once_a_prompt(alphabet_file: Path) -> None:
    result = call("generate", alphabet_file, "é?a", "b", "-n", 3, "-q", "--max-new-tokens", 1)
    assert result.stderr == "note: not in the model's vocabulary: 'é', '?' (in 'é?a')\n"
    assert result.stdout == "é?ab\n" * 3 + "bc\n" * 3
    assert call("generate", alphabet_file, "é", "-q", "--stream").stderr.count("note: ") == 1


def test_decoder_options_are_set_one_by_one(babble_file: Path, babble: Model) -> None:
    arguments = ("--decoder", "top-k", "--set", "k=2", "--set", "temperature=3", "--stop", "you", "--stop", "stop")
    result = call("generate", babble_file, "i", "--seed", 5, *arguments)
    expected = babble.generate("i", seed=5, decoder="top-k", k=2, temperature=3.0, stop=["you", "stop"])
    assert result.stdout == f"{expected}\n"


def test_info_shows_every_section(alphabet_file: Path, alphabet: Model) -> None:
    printed = call("info", alphabet_file).stdout
    for line in ("model\n", "  name  alphabet\n", "  decoder         greedy\n", "  stops at        <end>\n"):
        assert line in printed
    [document] = call("info", alphabet_file, "--json").stdout.splitlines()
    assert json.loads(document) == describe_model(alphabet)


def test_verify_says_what_was_reproduced(tmp_path: Path) -> None:
    file = write_model(tmp_path / "m.onnx", golden=[GoldenText("a", (2, 4), (5,), "ab", ((5, 10.0),))])
    result = call("verify", file, "--device", "cpu")
    assert result.stdout == "1 golden texts reproduced, alone and in a batch, on cpu (asked for)\n"


def test_verify_fails_on_a_difference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_model(tmp_path / "m.onnx", golden=[GoldenText("a", (2, 4), (5,), "ac", ((5, 10.0),))])
    status, printed = fail(monkeypatch, capsys, "verify", file)
    assert status == 1
    assert printed.splitlines() == [
        "the ids of prompt 'a' became 'ab', not 'ac'",
        f"error: {file}: 1 differences in 1 golden texts",
    ]


def test_verify_fails_where_there_is_nothing_to_replay(
    alphabet_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = f"error: {alphabet_file} carries no golden texts, so there is nothing to replay\n"
    assert fail(monkeypatch, capsys, "verify", alphabet_file) == (1, message)


def test_plugins_lists_a_line_each_and_says_what_is_broken(installed: Site) -> None:
    installed.install("acme", {"genrun.decoders": {"odd": "acme_d:Odd", "lowest": "acme_d:Lowest"}}, acme_d=DECODER)
    lines = call("plugins").stdout.splitlines()
    assert [line.split()[:2] for line in lines if "greedy" in line] == [["decoder", "greedy"]]
    [broken] = [line for line in lines if "acme_d:Odd" in line]
    assert "broken: decoder 'odd' of acme 1.0 failed to import: AttributeError" in broken
    [working] = [line for line in lines if "acme_d:Lowest" in line]
    assert working.endswith("available")
    entries: list[dict[str, Any]] = [json.loads(line) for line in call("plugins", "--json").stdout.splitlines()]
    assert len(entries) == len(lines)
    assert {entry["state"] for entry in entries if entry["distribution"] == "acme"} == {"broken", "available"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seed", "-1"], "seed must be a whole number from 0 to 2**64 - 1, not -1"),
        (["--max-new-tokens", "0"], "max_new_tokens must be a whole number from 1 to 1,000,000, not 0"),
        (["--decoder", "gredy"], "unknown decoder 'gredy'; did you mean 'greedy'?"),
        (["--set", "k=3"], "decoder 'greedy' has no option 'k'; accepted: none"),
        (["--set", "k"], "--set takes key=value, not 'k'"),
        (["--decoder", "top-k", "--set", "k=0"], "decoder 'top-k': k must be 1 or more, not 0"),
        (["--stop", ""], "a stop text must not be empty"),
        (["--casing", "titel"], "unknown casing 'titel'; did you mean 'title'?"),
        (["--threads", "0"], "threads must be a whole number from 1 to 1,024, not 0"),
        (["--device", "CPUExecutionProvder"], f"unknown device 'CPUExecutionProvder'; {DEVICES}"),
        (["--device", "gpu"], f"unknown device 'gpu'; {DEVICES}"),
    ],
)
def test_a_wrong_value_of_an_option_is_one_line_and_status_2(
    alphabet_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    status, printed = fail(monkeypatch, capsys, "generate", alphabet_file, "a", "-q", *arguments)
    assert (status, printed) == (2, f"error: {message}\n")


def test_a_missing_model_is_one_line_and_status_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in ("generate", "info", "score", "suggest", "verify"):
        status, printed = fail(monkeypatch, capsys, command, tmp_path / "none.onnx")
        assert (status, printed.count("\n")) == (1, 1)
        assert printed.endswith("none.onnx: cannot open the model file: No such file or directory\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generat"], "Error: no such command 'generat'; did you mean 'generate'?"),
        (["generate"], "Error: Missing argument 'MODEL'."),
        (["score"], "Error: Missing argument 'MODEL'."),
        (["generate", "m.onnx", "-n", "0"], "Error: Invalid value for '-n'"),
        (["generate", "m.onnx", "--seeed", "1"], "Error: No such option…--seeed"),
        (["generate", "m.onnx", "--stream", "-n", "2"], "Error: --stream prints one text for each prompt"),
        (["generate", "m.onnx", "--stream", "--json"], "Error: --stream prints one text for each prompt"),
        (["--loud"], "Error: No such option…--loud"),
    ],
)
def test_wrong_usage_is_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    status, printed = fail(monkeypatch, capsys, *arguments)
    assert status == 2
    assert all(part in printed for part in message.split("…"))  # click's versions write it in their own ways
    assert "Traceback" not in printed


def test_help_lists_every_command_with_a_summary() -> None:
    printed = call("--help").stdout
    for name in ("export", "generate", "info", "plugins", "score", "suggest", "train", "verify"):
        [line] = [line for line in printed.splitlines() if line.split()[:1] == [name]]
        assert line.split()[1:], f"{name} has no summary"
    assert call("-h").stdout == printed
    assert call("--version").stdout == f"genrun, version {genrun.__version__}\n"


def test_verify_says_why_the_device_was_chosen(tmp_path: Path) -> None:
    file = write_model(tmp_path / "m.onnx", golden=[GoldenText("a", (2, 4), (5,), "ab", ((5, 10.0),))])
    model = genrun.load(file)
    assert call("verify", file).stdout.endswith(f"on {model.device} ({model.device_reason})\n")


def test_info_gives_a_card_no_power_over_the_terminal(tmp_path: Path) -> None:
    card = {"name": "\x1b[2Jx\x07\r\nmade\u202eup", "\x1b]0;t\x07": "é 말", "nested": {"\x9b1m": ["\x1b"]}}
    file = write_model(tmp_path / "m.onnx", card=card)
    printed = call("info", file).stdout
    assert all(character.isprintable() for character in printed.replace("\n", ""))
    assert "\\x1b[2Jx\\x07\\r\\nmade\\u202eup" in printed
    assert "é 말" in printed
    assert json.loads(call("info", file, "--json").stdout)["model"]["name"] == card["name"]


def test_notes_of_unknown_words_are_short(alphabet_file: Path) -> None:
    prompt = "a" + "".join(chr(0x4E00 + number) for number in range(100)) + "\u4e00"
    [note] = call("generate", alphabet_file, prompt, "-q").stderr.splitlines()
    listed = ", ".join(repr(chr(0x4E00 + number)) for number in range(10))
    assert note == f"note: not in the model's vocabulary: {listed} and 90 more (in {prompt[:60] + '…'!r})"


def test_score_prints_a_line_for_each_text(alphabet_file: Path, alphabet: Model) -> None:
    result = call("score", alphabet_file, "abc", "zz", "--device", "cpu")
    assert result.stderr == ""
    expected = [alphabet.score(text) for text in ("abc", "zz")]
    assert [line.split("\t") for line in result.stdout.splitlines()] == [
        [f"{s.perplexity:.2f}", f"{s.log_probability:.3f}", str(s.tokens), s.text] for s in expected
    ]


def test_score_writes_json_that_any_program_reads(alphabet_file: Path, alphabet: Model, letter_words: Model) -> None:
    result = call("score", alphabet_file, "abc", "é", "--json")
    documents = [json.loads(line) for line in result.stdout.splitlines()]
    assert documents == [json.loads(json.dumps(alphabet.score(text).to_json())) for text in ("abc", "é")]
    assert "é" in result.stdout
    result = call("score", letter_words.path, "", "--json")
    assert json.loads(result.stdout, parse_constant=lambda name: pytest.fail(name))["perplexity"] is None
    assert call("score", letter_words.path, "").stdout == "nan\t0.000\t0\t\n"


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_score_reads_texts_from_standard_input(alphabet_file: Path, arguments: list[str]) -> None:
    result = call("score", alphabet_file, *arguments, stdin="\ufeffab\n\nxyz\r\n\ufeffc")
    assert [line.split("\t")[-1] for line in result.stdout.splitlines()] == ["ab", "", "xyz", "\ufeffc"]


def test_score_takes_arguments_and_standard_input_in_their_order(alphabet_file: Path) -> None:
    result = call("score", alphabet_file, "z", "-", "y", stdin="a\nb\n")
    assert [line.split("\t")[-1] for line in result.stdout.splitlines()] == ["z", "a", "b", "y"]


def test_a_byte_order_mark_is_no_part_of_the_first_prompt(alphabet_file: Path) -> None:
    result = call("generate", alphabet_file, "-", "-q", "--max-new-tokens", 1, stdin="\ufeffa\nb\n")
    assert (result.stdout, result.stderr) == ("ab\nbc\n", "")


def test_a_text_that_is_not_utf8_is_an_error_with_its_line(alphabet_file: Path) -> None:
    result = CliRunner().invoke(cli, ["score", str(alphabet_file)], input=b"a\nb\n\xff\n")
    assert isinstance(result.exception, OptionError)
    assert str(result.exception) == "standard input, line 3: a text must be UTF-8"


def test_providers_and_threads_can_be_chosen(alphabet_file: Path) -> None:
    result = call("generate", alphabet_file, "a", "--device", "CPUExecutionProvider", "--threads", 2, "--seed", 1)
    assert (result.stdout, result.stderr) == ("abcdef\n", "cpu (asked for), seed 1\n")


@pytest.mark.filterwarnings("default")
def test_warnings_are_shown_as_notes_where_they_are_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def warning() -> None:
        warnings.warn("the model runs on the CPU", DeviceWarning, stacklevel=1)
        warnings.warn("somebody else's", RuntimeWarning, stacklevel=1)

    shown = warnings.showwarning
    monkeypatch.setattr(sys, "argv", ["genrun"])
    with pytest.raises(SystemExit):
        run(warning)
    ours, theirs, *_ = capsys.readouterr().err.splitlines()
    assert ours == "note: the model runs on the CPU"
    assert theirs.endswith("RuntimeWarning: somebody else's")
    assert warnings.showwarning is shown


def test_the_values_of_a_missing_option_are_listed_without_escapes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = fail(monkeypatch, capsys, "plugins", "new", "second-best")
    assert (status, "Missing option '--kind'" in said, "\n    stage,\n" in said) == (2, True, True)
