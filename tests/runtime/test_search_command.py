"""``genrun generate`` with beams, distinct and spread texts, and two models at once."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import genrun
from genrun.cli.group import cli, run
from support.alphabet import babble_table, random_drift, words, write_model


def call(*arguments: object) -> Result:
    """Run a command that must succeed."""
    result = CliRunner().invoke(cli, ["generate", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def files(folder: Path) -> list[Path]:
    """Two models of two words, and one of other words."""
    made = []
    for number, names in enumerate((("a", "b"), ("a", "b"), ("c", "d"))):
        tokenizer = words(*names)
        table, drift = babble_table(len(tokenizer), number + 1), random_drift(len(tokenizer))
        path = folder / f"mix{number}.onnx"
        made.append(write_model(path, tokenizer, table=table, drift=drift, decoder="temperature", max_new_tokens=3))
    return made


@pytest.mark.parametrize("options", [["--beam", 9, "--length-penalty", 0.5], ["--distinct"], ["--spread"]], ids=str)
def test_the_command_prints_the_texts_of_the_library(files: list[Path], options: list[object]) -> None:
    choices = {"--beam": {"beam": 9, "length_penalty": 0.5}, "--distinct": {"distinct": True}}
    chosen = choices.get(str(options[0]), {"spread": True})
    results = genrun.load(files[0]).generate_many(["a", "b"], n=4, seed=7, **chosen)  # type: ignore[arg-type]
    assert call(files[0], "a", "b", "-n", 4, "--seed", 7, *options).stdout.splitlines() == [r.text for r in results]


def test_json_has_the_probability_of_a_draw(files: list[Path]) -> None:
    lines = call(files[0], "a", "-n", 3, "--seed", 7, "--distinct", "--json", "-q").stdout.splitlines()
    values = [json.loads(line) for line in lines]
    assert [value["sample"] for value in values] == [0, 1, 2]
    assert all(0 < value["probability"] < 1 for value in values)
    assert "probability" not in json.loads(call(files[0], "a", "--json", "-q").stdout)


def test_a_prompt_with_fewer_texts_than_asked_for_is_noted_and_the_file_is_whole(
    files: list[Path], tmp_path: Path
) -> None:
    found = call(files[0], "a", "b", "-n", 20, "--seed", 7, "--distinct", "-q", "-o", tmp_path / "texts.txt")
    assert found.stderr == "note: there are fewer than 20 different texts for 2 prompts\n"
    lines = (tmp_path / "texts.txt").read_text("utf-8").splitlines()
    assert len(set(lines)) == len(lines) == 30
    assert [path.name for path in tmp_path.iterdir()] == ["texts.txt"]


def test_two_models_are_mixed(files: list[Path]) -> None:
    mixed = genrun.load(files[0]).mixed_with(genrun.load(files[1]), 0.3)
    expected = [result.text for result in mixed.generate_many(["a"], n=6, seed=7)]
    assert call(files[0], "a", "-n", 6, "--seed", 7, "--mix", f"{files[1]}:0.3").stdout.splitlines() == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-n", "5", "--beam", "4"], "a beam of 4 finds at most 4 texts of a prompt, not 5"),
        (["--distinct", "--spread"], "choose one of beam, distinct and spread, not distinct and spread"),
        (["--length-penalty", "1"], "a length penalty is for beam search: give beam as well"),
        (["--beam", "4", "--temperature", "0.5"], "which no temperature changes"),
        (["--spread", "--decoder", "greedy"], "needs stages, such as the decoder 'top-p', not Greedy"),
        (["--spread", "--stream"], "--stream prints words as they are chosen"),
        (["--mix", "other.onnx"], "--mix is a model file and its weight, such as other.onnx:0.3, not 'other.onnx'"),
        (["--mix", "MIX2:0.3"], "their vocabularies differ, first in token 4, 'a' and 'c'"),
        (["--mix", "MIX1:3"], "the weight of a mixture must be above 0 and below 1, not 3.0"),
    ],
)
def test_what_does_not_go_together_is_one_line_and_wrong_usage(
    files: list[Path],
    options: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    given = [option.replace("MIX1", str(files[1])).replace("MIX2", str(files[2])) for option in options]
    output = [] if "--stream" in given else ["-o", str(tmp_path / "texts.txt")]
    monkeypatch.setattr(sys, "argv", ["genrun", "generate", str(files[0]), "a", *given, *output])
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
