"""A training reads each part of its run folder once, with whichever reader the caller has."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import genrun
from genrun import ReadReport, registry
from genrun.tokenizer import Tokenizer
from genrun_core.evaluation.evaluation import evaluate
from genrun_core.recipes.recipe import load_recipe
from genrun_core.recipes.sections import PluginChoice
from genrun_core.runs.run_folder import RunFolder
from genrun_core.runs.token_shards import TokenShards
from genrun_core.training.prepared import prepare
from genrun_core.training.train import resume, train
from support.trained import weights

RECIPE = load_recipe("racetrack", {"epochs": "1"})


class Upper:
    """Reads lines in capitals, from wherever it likes."""

    noun = "cries"

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        report.file()
        for line in Path(sources[0]).read_text("utf-8").splitlines():
            report.row()
            yield line.upper()


class Plain(Upper):
    """Reads what the reader ``text`` reads."""

    def read(self, sources: Sequence[str], report: ReadReport) -> Iterator[str]:
        return registry.make_reader("text").read(sources, report)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often a tokenizer was parsed, the tokens were opened, and a reader was made."""
    counted = Counter[str]()

    def count(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def counting(*arguments: Any, **options: Any) -> Any:
            counted[name] += 1
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, counting)

    count(Tokenizer, "from_json")
    count(TokenShards, "open")
    count(registry, "make_reader")
    return counted


def test_a_training_makes_its_reader_and_opens_its_tokens_once_and_parses_no_tokenizer(
    samples: Path, tmp_path: Path, calls: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GENRUN_CACHE", "off")
    train([str(samples / "racetrack.txt")], RECIPE, tmp_path / "run")
    assert calls == {"open": 1, "make_reader": 1}


def test_a_resume_opens_its_tokens_and_parses_its_tokenizer_once(racetrack_run: Path, calls: Counter[str]) -> None:
    resume(racetrack_run)
    assert (calls["open"], calls["from_json"]) == (1, 1)


def test_an_object_reads_the_corpus_and_its_class_is_recorded(samples: Path, tmp_path: Path) -> None:
    said: list[str] = []
    sources = [str(samples / "racetrack.txt")]
    train(sources, RECIPE, tmp_path / "run", reader=Upper(), say=said.append)
    run = RunFolder.open(tmp_path / "run")
    assert said[0] == "3 rows in 1 file: 3 cries"
    assert run.recipe().reader.name == f"class:{__name__}.Upper"
    with pytest.raises(genrun.OptionError, match=r"the reader was an object of the class .*Upper, .*: name another$"):
        evaluate(run.path, sources)
    assert evaluate(run.path, sources, PluginChoice("text")).documents == 3


def test_a_resume_needs_no_reader_object_and_goes_on_to_the_same_weights(samples: Path, tmp_path: Path) -> None:
    sources = [str(samples / "racetrack.txt")]
    train(sources, RECIPE, tmp_path / "named")
    train(sources, RECIPE, tmp_path / "object", reader=Plain())
    for name in ("named", "object"):
        resume(tmp_path / name, epochs=2)
    assert weights(tmp_path / "object") == weights(tmp_path / "named")


def test_tokens_that_only_an_object_can_read_again_are_one_line(samples: Path, tmp_path: Path) -> None:
    train([str(samples / "racetrack.txt")], RECIPE, tmp_path / "run", reader=Upper())
    (tmp_path / "run" / "corpus.json").unlink()
    with pytest.raises(genrun.OptionError, match="the reader was an object of the class"):
        resume(tmp_path / "run")


@pytest.mark.parametrize("reader", ["text", Upper], ids=["a name", "a class"])
def test_what_is_no_reader_object_is_refused_before_anything_is_written(reader: Any, tmp_path: Path) -> None:
    with pytest.raises(genrun.OptionError, match="reader must be an object with a method read, not "):
        train(["nowhere.txt"], RECIPE, tmp_path / "run", reader=reader)
    assert not (tmp_path / "run").exists()


def test_settings_that_do_not_fit_together_are_refused_however_a_recipe_is_made() -> None:
    recipe = load_recipe("racetrack")
    with pytest.raises(genrun.OptionError, match="sampled_softmax needs tied=true"):
        dataclasses.replace(recipe, training=dataclasses.replace(recipe.training, sampled_softmax=4))


@pytest.mark.parametrize("running", ["true", "false"])
def test_a_calibration_looks_at_a_few_documents_of_a_long_text(running: str, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("".join(f"line {i % 97} of a long text\n" for i in range(4000)), "utf-8")
    settings = {"architecture": "ngram", "running_text": running, "seed": "3"}
    run = train([str(tmp_path / "long.txt")], load_recipe("racetrack", settings), tmp_path / "run")
    prepared = prepare(run, run.recipe())
    assert 2000 < prepared.calibration_sample().predictions < 4000 < prepared.training.predictions
