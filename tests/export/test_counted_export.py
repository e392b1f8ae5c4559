"""Counted runs as model files: what the file says is what was counted, or there is no file."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import genrun
from genrun.errors import ExportError, OptionError, RunFolderError
from genrun_core.evaluation.evaluation import evaluate
from genrun_core.recipes.recipe import load_recipe
from genrun_core.training.train import train
from genrun_export.counting import exporting
from genrun_export.counting.tables import Tables, make_tables
from genrun_export.exporting import export

SHAPES = [
    {"order": "5", "running_text": "true", "vocabulary_limit": "300"},
    {"kind": "char"},
    {"specials": "unk,end", "order": "2", "vocabulary_limit": "300", "validation": "0"},
]


@pytest.fixture(scope="module")
def run(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return counted(samples, tmp_path_factory.mktemp("counted") / "run", {"vocabulary_limit": "120"})


def counted(samples: Path, output: Path, settings: dict[str, str]) -> Path:
    recipe = load_recipe("ngram", settings)
    return train([str(samples / "songs" / "*.txt")], recipe, output).path


@pytest.mark.parametrize("settings", SHAPES, ids=str)
def test_a_counted_run_and_its_file_give_the_same_figures(
    samples: Path, tmp_path: Path, settings: dict[str, str]
) -> None:
    run = counted(samples, tmp_path / "run", settings)
    figures = export(run, tmp_path / "counted.onnx").parity
    text = sorted(samples.glob("songs/*.txt"))[0]
    ours, files = (evaluate(path, [str(text)]) for path in (run, tmp_path / "counted.onnx"))
    assert files.perplexity == pytest.approx(ours.perplexity, rel=1e-5)
    assert (files.tokens, files.unknown) == (ours.tokens, ours.unknown)
    model = genrun.load(tmp_path / "counted.onnx", device="cpu")
    assert figures.to_json()["fed_ids"] == len(model.tokenizer)
    assert genrun.verify(model).passed
    assert model.generate("the", seed=1).lower().startswith("the")


def raised(name: str, place: int, by: float) -> Callable[[Tables], Tables]:
    def spoil(tables: Tables) -> Tables:
        values = getattr(tables, name).copy()
        values[place] += by
        return dataclasses.replace(tables, **{name: values})

    return spoil


def exchanged(name: str) -> Callable[[Tables], Tables]:
    def spoil(tables: Tables) -> Tables:
        values = getattr(tables, name).copy()
        first, other = np.flatnonzero(values != values[0])[0], 0
        values[[first, other]] = values[[other, first]]
        return dataclasses.replace(tables, **{name: values})

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        raised("unigrams", 1, 1e-3),  # <unk>, which no document has
        raised("unigrams", -1, -1e-3),
        raised("values", 0, 1e-3),
        raised("factors", 5, 1e-3),
        raised("factors", 6, np.nan),
        raised("followers", 50, 1),
        raised("offsets", 40, -1),
        exchanged("unigrams"),
        exchanged("followers"),
    ],
)
def test_a_file_that_does_not_say_what_was_counted_is_not_written(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Tables], Tables]
) -> None:
    monkeypatch.setattr(exporting, "make_tables", lambda *args, **kw: spoil(make_tables(*args, **kw)))
    with pytest.raises(ExportError, match="refused: log-probabilities of the file and of the counts differ"):
        export(run, tmp_path / "counted.onnx")
    assert not list(tmp_path.iterdir())


def test_quantizing_a_counted_model_is_refused_in_a_line(run: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="an n-gram model has none"):
        export(run, tmp_path / "counted.onnx", "int8")
    assert not list(tmp_path.iterdir())


def test_a_card_of_another_model_is_refused(samples: Path, tmp_path: Path) -> None:
    run = counted(samples, tmp_path / "run", {"vocabulary_limit": "120"})
    card = json.loads((run / "card.json").read_text("utf-8"))
    card["training"]["weights"] = "0" * 32
    (run / "card.json").write_text(json.dumps(card), "utf-8")
    with pytest.raises(RunFolderError, match="card is of another model"):
        export(run, tmp_path / "counted.onnx")


def test_a_counted_model_is_exported_and_described_without_tensorflow(run: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from genrun.cli import main; sys.argv = ['genrun', *sys.argv[1:]]\n"
        "try: main()\nexcept SystemExit as end: assert not end.code\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    model = str(tmp_path / "counted.onnx")
    for command in (["export", str(run), "-o", model], ["bench", model, "--seconds", "0.1"], ["info", model]):
        done = subprocess.run([sys.executable, "-c", code, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        said = done.stdout + done.stderr
        expected = {"export": "same probabilities as counted", "bench": "ngram of order 3", "info": "ngrams"}
        assert expected[command[0]] in said
