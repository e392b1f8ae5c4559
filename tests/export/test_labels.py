"""Labels from a corpus to a text: a small model learns two kinds of lines, and each label brings its own."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from genrun import Model, load
from genrun.cli.group import cli
from genrun.cli.group import run as run_command
from genrun.errors import CorpusError, OptionError, RunFolderError
from genrun.tokenizer import VocabularyBuilder
from genrun_core.corpus.preparation import prepare_corpus
from genrun_core.evaluation.evaluation import evaluate
from genrun_core.recipes.recipe import load_recipe
from genrun_core.recipes.sections import ModelSettings, PluginChoice
from genrun_core.runs.run_folder import RunFolder
from genrun_core.runs.token_shards import LABELS
from genrun_core.training.batching.batches import IGNORED, DocumentBatches
from genrun_core.training.finetuning import tuning_recipe
from genrun_export.exporting import export
from support.trained import train

SEA = ("the sea is wide", "the sea is grey", "the gull is loud")
LAW = ("the law is hard", "the law is old", "the judge is late")
SETTINGS = {
    **{"reader": "csv", "column": "title", "label_columns": "kind,year", "label_minimum": "3"},
    **{"hidden_size": "24", "embedding_size": "12", "layers": "1", "epochs": "24", "batch_size": "8"},
    **{"learning_rate": "0.03", "validation": "0.1", "patience": "0", "label_dropout": "0.2"},
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labels") / "lines.csv"
    rows = [(text, kind) for kind, texts in (("sea", SEA), ("law", LAW)) for text in texts] * 8
    lines = [f"{text},{kind},{1786 if number % 3 else ''}" for number, (text, kind) in enumerate(rows)]
    path.write_text("\n".join(["title,kind,year", *lines, "the moon is far,moon,", ""]), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(corpus: Path) -> Path:
    return train([corpus], "lyricist", corpus.parent / "run", SETTINGS)


@pytest.fixture(scope="module")
def model_file(run: Path) -> Path:
    export(run, run.parent / "lines.onnx")
    return run.parent / "lines.onnx"


@pytest.fixture(scope="module")
def model(model_file: Path) -> Model:
    return load(model_file, device="cpu")


def genrun(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_each_label_brings_its_own_texts(model: Model) -> None:
    for kind, texts in (("sea", SEA), ("law", LAW)):
        found = model.generate_many([""], n=40, seed=1, labels={"kind": kind}, decoder="temperature")
        assert sum(result.text in texts for result in found) > 20
        assert all(result.text for result in found)


def test_without_a_label_both_kinds_come(model: Model) -> None:
    texts = {result.text for result in model.generate_many([""], n=60, seed=1, decoder="temperature")}
    assert texts & set(SEA)
    assert texts & set(LAW)


def test_every_way_to_generate_gives_the_text_of_the_label(model: Model) -> None:
    wanted = {"labels": {"kind": "law", "year": "1786"}, "seed": 5}
    text = model.generate("the", **wanted)  # type: ignore[arg-type]
    assert "".join(model.stream("the", **wanted)) == text.removeprefix("the")  # type: ignore[arg-type]
    assert model.generate_many(["", "the"], **wanted)[1].text == text  # type: ignore[arg-type]
    assert model.generate("the", settings=model.settings(**wanted)) == text  # type: ignore[arg-type]
    assert asyncio.run(model.agenerate("the", **wanted)) == text  # type: ignore[arg-type]
    assert model.generate("the", seed=5, labels={"kind": ""}) == model.generate("the", seed=5)


def test_a_text_is_likelier_with_its_label(model: Model) -> None:
    right, none, wrong = (model.score(SEA[0], labels={"kind": kind}) for kind in ("sea", "", "law"))
    assert right.perplexity < none.perplexity < wrong.perplexity
    assert right.tokens == none.tokens == 5  # four words and the end: a label is not predicted
    assert model.score(SEA[0]) == none


def test_suggestions_follow_the_label(model: Model) -> None:
    words = {
        kind: {each.text: each.probability for each in model.suggest("the ", 20, labels={"kind": kind})}
        for kind in ("sea", "law")
    }
    assert words["sea"]["gull"] > words["law"].get("gull", 0)
    typed = model.typing(labels={"kind": "law"})
    assert typed.suggest("the ") == model.suggest("the ", labels={"kind": "law"})


def test_labels_are_no_words(model: Model, run: Path) -> None:
    folder = RunFolder.open(run)
    shards = folder.shards(folder.tokenizer())
    assert set(model.tokenizer.labels.tokens) <= set(model.defaults.suppressed_ids)
    assert not np.isin(shards.ids, model.tokenizer.labels.tokens).any()
    assert shards.labels.shape == (49, 2)


def test_the_run_says_what_labels_it_found(run: Path, model: Model) -> None:
    first, second = json.loads((run / "corpus.json").read_text("utf-8"))["labels"]
    assert first.startswith("label kind: 2 values (")
    assert first.endswith("; 1 document with 1 rarer value")
    assert second.startswith("label year: 1 value (1786 ")
    assert second.endswith(" documents without")
    assert {label.name: label.values for label in model.tokenizer.labels.all}["year"] == ("1786",)


def test_a_run_and_its_model_file_measure_the_same_with_labels(run: Path, model_file: Path, corpus: Path) -> None:
    reader = PluginChoice("csv", {"column": "title", "label_columns": ["kind", "year"]})
    for labels in ({}, {"kind": ""}, {"kind": "law"}):
        by_run = evaluate(run, [str(corpus)], labels=labels)
        by_file = evaluate(model_file, [str(corpus)], reader, labels=labels)
        assert by_run.perplexity == pytest.approx(by_file.perplexity, rel=1e-4)
    assert evaluate(run, [str(corpus)]).perplexity < evaluate(run, [str(corpus)], labels={"kind": ""}).perplexity


def test_an_epoch_hides_some_labels_and_a_validation_none(run: Path) -> None:
    folder = RunFolder.open(run)
    shards = folder.shards(folder.tokenizer())
    batches = DocumentBatches(shards, np.arange(48), batch_size=8, sequence_length=3, seed=1, label_dropout=0.3)
    epochs = [[tuple(row) for batch in batches.epoch(number) for row in batch.inputs[:, :2]] for number in (0, 0, 1)]
    assert epochs[0] == epochs[1] != epochs[2]
    none = tuple(shards.no_labels.tolist())
    assert 0.1 < np.mean([row == none for row in epochs[0]]) < 0.6
    for batch in batches.in_order():
        assert (batch.targets[:, :2] == IGNORED).all()
        assert (batch.inputs[:, 0] != none[0]).all()


def test_labels_come_out_of_the_cache(run: Path, corpus: Path, tmp_path: Path) -> None:
    said = []
    for name in ("a", "b"):
        made = RunFolder.create(tmp_path / name, load_recipe("lyricist", SETTINGS), [str(corpus)])
        said.append(prepare_corpus(made, made.recipe()))
    assert said[1].report[0].startswith("the corpus is as it was read before")
    np.testing.assert_array_equal(said[0].shards.labels, said[1].shards.labels)
    assert said[0].report == said[1].report[1:]
    refused = replace(load_recipe("lyricist", SETTINGS), model=ModelSettings("ngram"))
    with pytest.raises(OptionError, match="labels need a network"):
        prepare_corpus(RunFolder.create(tmp_path / "c", refused, [str(corpus)]), refused)


def test_fine_tuning_keeps_the_labels(run: Path, corpus: Path, tmp_path: Path) -> None:
    recipe = tuning_recipe(RunFolder.open(run))
    made = RunFolder.create(tmp_path / "run", recipe, [str(corpus)])
    made.base.mkdir()
    shutil.copy(run / "tokenizer.json", made.base_tokenizer_file)
    tuned = prepare_corpus(made, recipe)
    assert tuned.tokenizer.labels.all == RunFolder.open(run).tokenizer().labels.all
    made.base_tokenizer_file.unlink()
    plain = VocabularyBuilder(recipe.tokenizer)
    plain.add("the sea")
    made.save_json(made.base_tokenizer_file, plain.build().to_json())
    made.corpus_file.unlink()
    with pytest.raises(OptionError, match="the model that this training begins with has none"):
        prepare_corpus(made, recipe)


def test_commands_take_labels(model_file: Path, run: Path) -> None:
    status, text = genrun("generate", model_file, "--label", "kind=law", "--decoder", "greedy", "-q")
    assert (status, text.strip() in LAW) == (0, True)
    status, scored = genrun("score", model_file, SEA[0], "--label", "kind=sea")
    assert (status, scored.endswith(f"\t5\t{SEA[0]}\n")) == (0, True)
    status, suggested = genrun("suggest", model_file, "the ", "--label", "kind=sea", "-n", "1")
    assert (status, suggested.split()[1] in ("sea", "gull")) == (0, True)
    status, measured = genrun("evaluate", run, "--held-out", "--label", "kind=")
    assert (status, "perplexity" in measured) == (0, True)
    assert "  kind  law, sea" in genrun("info", model_file)[1].replace("sea, law", "law, sea")


@pytest.mark.parametrize(
    ("label", "message"),
    [
        ("kind=see", "the label 'kind' has no value 'see'; did you mean 'sea'?"),
        ("kinds=sea", "the model has no label 'kinds'; did you mean 'kind'?"),
        ("sea", "--label takes NAME=VALUE, such as section=Opinion, not 'sea'"),
    ],
)
@pytest.mark.parametrize("command", [("generate",), ("score", "x"), ("suggest", "x "), ("evaluate", "--held-out")])
def test_a_wrong_label_ends_a_command_with_one_line(
    command: tuple[str, ...],
    label: str,
    message: str,
    model_file: Path,
    run: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name, *rest = command
    path = run if name == "evaluate" else model_file
    monkeypatch.setattr(sys, "argv", ["genrun", name, str(path), *rest, "--label", label])
    with pytest.raises(SystemExit) as ended:
        run_command()
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: {message}\n")


def test_damaged_labels_of_a_run_are_noticed(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    (copy / "tokens" / LABELS).write_bytes(b"\0" * 8)
    with pytest.raises(RunFolderError, match="the labels are not those of 49 documents"):
        RunFolder.open(copy).shards(RunFolder.open(copy).tokenizer())
    (copy / "tokens" / LABELS).unlink()
    with pytest.raises(RunFolderError):
        RunFolder.open(copy).shards(RunFolder.open(copy).tokenizer())


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"architecture": "ngram"}, OptionError, "labels need a network"),
        ({"running_text": "true"}, OptionError, "labels are of separate documents"),
        ({"label_minimum": "100"}, CorpusError, "no value of the label 'kind' has 100 documents"),
    ],
)
def test_what_cannot_have_labels_says_so(
    settings: dict[str, str], error: type[Exception], message: str, corpus: Path, tmp_path: Path
) -> None:
    chosen = {name: value for name, value in SETTINGS.items() if name in ("reader", "column", "label_columns")}
    with pytest.raises(error, match=message):
        train([corpus], "lyricist", tmp_path / "run", {**chosen, "label_minimum": "3", **settings})
