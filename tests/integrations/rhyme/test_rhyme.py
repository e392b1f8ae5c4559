"""The example plugin rhyme with the real dictionary, and its own tests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pronouncing
import pytest

import genrun
from genrun.model import Model
from genrun.tokenizer import Tokenizer
from support.alphabet import babble_table, random_drift, write_model

ENDS = "sea tree free knee key sky high fly eye night light white moon soon June bridge ridge storm form orange"
WORDS = ["the", "old", "a", "of", "walks", "by", "xylophonist", *ENDS.split(), "Sea"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model that draws words, marks and line breaks at random."""
    tokenizer = Tokenizer(
        kind="word",
        vocabulary=["<pad>", "<start>", "<end>", "\n", ",", *WORDS],
        specials=["pad", "start", "end"],
        line_breaks=True,
    )
    path = write_model(
        tmp_path_factory.mktemp("model") / "rhymes.onnx",
        tokenizer,
        table=babble_table(len(tokenizer)),
        drift=random_drift(len(tokenizer)),
        decoder="temperature",
        max_new_tokens=40,
        suppress=("pad", "start"),
    )
    return genrun.load(path, device="cpu")


def lasts(text: str) -> list[str]:
    return [words[-1] for line in text.split("\n") if (words := line.replace(",", " ").split())]


@pytest.mark.parametrize("scheme", ["AA", "AABB", "ABAB", "ABCB", "AABBA"])
@pytest.mark.parametrize("prompt", ["", "the old moon\na"])
def test_texts_rhyme_by_the_dictionary(model: Model, scheme: str, prompt: str) -> None:
    for result in model.generate_many([prompt], n=8, constraint=f"rhyme:{scheme}", seed=5, particles=8):
        assert result.finish_reason == "end"
        ends = lasts(result.text)
        assert len(ends) == len(scheme)
        for letter in {letter for letter in scheme if scheme.count(letter) > 1}:
            first, *others = (end for end, each in zip(ends, scheme, strict=True) if each == letter)
            assert {other.lower() for other in others} <= set(pronouncing.rhymes(first.lower()))


def test_goes_with_other_parts(model: Model) -> None:
    constraint = "rhyme:ABAB,words:16-20,acrostic:SOFT"
    for result in model.generate_many([""], n=4, constraint=constraint, seed=5, particles=8):
        assert 16 <= len(result.text.replace(",", " ").split()) <= 20
        assert [line.strip(" ,")[:1].lower() for line in result.text.split("\n") if line.strip(" ,")] == [*"soft"]


@pytest.mark.parametrize(
    ("prompt", "constraint", "message"),
    [
        ("an orange\n", "rhyme:AA", "no word of the model rhymes with 'orange', with which line 1 ends"),
        (
            "the xylophonist\n",
            "rhyme:AA",
            "line 1 ends with 'xylophonist', which rhymes with no word: the dictionary",
        ),
        ("sea\n", 'rhyme:AA,never:"tree, free, knee, key"', "part 1, character 1 of 'rhyme:AA,never:"),
        ("", "rhyme:AB", "no letter of the scheme 'AB' occurs twice, so no lines rhyme"),
        ("", 'rhyme:AA,pattern:"sea / _ sky"', "and part 2, character 10 of"),
    ],
)
def test_what_cannot_be_met_is_an_error_that_says_why(
    model: Model, prompt: str, constraint: str, message: str
) -> None:
    with pytest.raises(genrun.OptionError, match=re.escape(message)):
        model.generate_many([prompt], constraint=constraint, seed=1)


def test_the_command_prints_one_line(model: Model) -> None:
    command = [sys.executable, "-m", "genrun", "generate", str(model.path), "-q", "--constraint", "rhyme:AA"]
    done = subprocess.run([*command, "an orange\n"], capture_output=True, encoding="utf-8")
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert "part 1, character 1 of 'rhyme:AA': no word of the model rhymes with 'orange'" in line


def test_the_example_passes_its_own_tests(repository: Path, tmp_path: Path) -> None:
    tests = repository / "examples" / "genrun-plugin-rhyme" / "tests"
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", str(tests)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
