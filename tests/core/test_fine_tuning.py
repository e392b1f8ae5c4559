"""Fine-tuning: what is frozen stays, words are kept or added, and only a network that fits is taken."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import genrun
from genrun_core.recipes.recipe import Recipe, load_recipe, override_recipe
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.finetuning import tuning_recipe
from genrun_core.training.train import resume
from genrun_core.training.train import train as train_model
from support.keras_files import load_network
from support.trained import copy_of_trained, metrics, train, weights

STILL = {"learning_rate": "1e-30", "optimizer": "sgd", "epochs": "1"}  # moves nothing
SMALL = {"hidden_size": "12", "embedding_size": "8", "batch_size": "8", "epochs": "2", "schedule": "constant"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    return train([samples / "headlines"], "nyt-headlines", tmp_path_factory.mktemp("base") / "run", SMALL)


def tuned(base: Path, **settings: str) -> Recipe:
    return override_recipe(RunFolder.open(base).recipe(), {"epochs": "2", **settings}, "lyrics-glob")


def fine_tune(base: Path, samples: Path, output: Path, **settings: str) -> Path:
    return train_model([str(samples / "songs" / "*.txt")], tuned(base, **settings), output, base=base).path


def test_only_what_is_not_frozen_is_trained(base: Path, samples: Path, tmp_path: Path) -> None:
    run = fine_tune(base, samples, tmp_path / "run", freeze="embedding,recurrent_1")
    before, after = (load_network(path / "model.keras") for path in (base, run))
    for layer in before.layers:
        same = [
            np.array_equal(a, b)
            for a, b in zip(layer.get_weights(), after.get_layer(layer.name).get_weights(), strict=True)
        ]
        assert all(same) if layer.name in ("embedding", "recurrent_1") else not any(same)


def test_it_begins_where_the_base_ended(base: Path, samples: Path, tmp_path: Path) -> None:
    run = fine_tune(base, samples, tmp_path / "run", **STILL, calibrate="false")
    assert weights(run) == weights(base)
    assert RunFolder.open(run).tokenizer().vocabulary == RunFolder.open(base).tokenizer().vocabulary


def test_new_words_come_after_the_known_ones_and_can_be_learnt(base: Path, samples: Path, tmp_path: Path) -> None:
    run = fine_tune(base, samples, tmp_path / "run", extend_vocabulary="5")
    old, new = (RunFolder.open(path).tokenizer() for path in (base, run))
    assert new.vocabulary[: len(old)] == old.vocabulary
    assert len(new) == len(old) + 5
    without = fine_tune(base, samples, tmp_path / "without")
    unknown = [json.loads((path / "corpus.json").read_text("utf-8"))["unknown"] for path in (run, without)]
    assert unknown[0] < unknown[1]
    network = load_network(run / "model.keras")
    assert network.get_layer("embedding").get_weights()[0].shape[0] == len(new)


def test_a_resume_needs_the_base_no_more(base: Path, samples: Path, tmp_path: Path) -> None:
    whole = fine_tune(base, samples, tmp_path / "whole", epochs="3")
    parts = fine_tune(base, samples, tmp_path / "parts", epochs="1")
    settings = RunFolder.open(parts).settings
    assert str(base) not in repr(settings)
    resume(parts, epochs=3)
    assert weights(parts) == weights(whole)


def test_a_training_from_scratch_can_have_the_words_of_another_run(base: Path, samples: Path, tmp_path: Path) -> None:
    recipe = load_recipe("nyt-headlines", SMALL, "lyrics-glob")
    run = train_model([str(samples / "songs" / "*.txt")], recipe, tmp_path / "run", words_of=base).path
    assert RunFolder.open(run).tokenizer().vocabulary == RunFolder.open(base).tokenizer().vocabulary
    assert not (run / "base" / "model.keras").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden_size": "13"}, "hidden_size=13 cannot be: the network of .* has 12"),
        ({"architecture": "gru"}, "architecture=gru cannot be"),
        ({"freeze": "embeding"}, "no layer 'embeding' to train; did you mean 'embedding'"),
        ({"freeze": "embedding", "extend_vocabulary": "3"}, "do not freeze embedding"),
    ],
)
def test_what_does_not_fit_the_base_is_refused(
    base: Path, samples: Path, tmp_path: Path, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(genrun.OptionError, match=message):
        fine_tune(base, samples, tmp_path / "run", **settings)
    assert not (tmp_path / "run").exists()


def test_new_words_need_a_base(samples: Path, tmp_path: Path) -> None:
    recipe = load_recipe("racetrack")
    recipe = dataclasses.replace(recipe, training=dataclasses.replace(recipe.training, extend_vocabulary=3))
    with pytest.raises(genrun.OptionError, match="needs --from RUN"):
        train_model([str(samples / "racetrack.txt")], recipe, tmp_path / "run")


def test_a_base_that_learnt_nothing_yet_is_refused(base: Path, samples: Path, tmp_path: Path) -> None:
    empty = RunFolder.create(tmp_path / "empty", RunFolder.open(base).recipe(), [])
    empty.save_json(empty.tokenizer_file, RunFolder.open(base).tokenizer().to_json())
    with pytest.raises(genrun.RunFolderError, match="has no trained network yet"):
        train_model([str(samples / "racetrack.txt")], tuned(base), tmp_path / "run", base=empty.path)


def test_tuning_a_tuned_run_inherits_neither_frozen_layers_nor_new_words(
    base: Path, samples: Path, tmp_path: Path
) -> None:
    once = fine_tune(base, samples, tmp_path / "once", freeze="recurrent_1", extend_vocabulary="3")
    again = tuning_recipe(RunFolder.open(once)).training
    assert (again.freeze, again.extend_vocabulary) == ((), 0)


def test_what_was_said_of_the_old_text_is_not_said_of_the_new(samples: Path, tmp_path: Path) -> None:
    said = {"licence": "CC0", "source": "the port"}
    base = train([samples / "headlines"], "nyt-headlines", tmp_path / "base", SMALL | said)
    recipe = override_recipe(
        tuning_recipe(RunFolder.open(base)), {"epochs": "1", "source": "six books"}, "lyrics-glob"
    )
    run = train_model([str(samples / "songs" / "*.txt")], recipe, tmp_path / "run", base=base)
    card = run.card()
    assert (card["description"], card["licence"], card["source"]) == ("", "unspecified", "six books")
    assert card["fine-tuned from"] == {"description": RunFolder.open(base).card()["description"], **said}
    assert "fine-tuned from" not in RunFolder.open(base).card()


def test_words_of_another_run_bring_their_tokenizer_also_to_a_caller_of_the_library(
    base: Path, samples: Path, tmp_path: Path
) -> None:
    recipe = load_recipe("lyricist", SMALL)
    run = train_model([str(samples / "songs" / "*.txt")], recipe, tmp_path / "run", words_of=base)
    assert run.recipe().tokenizer == RunFolder.open(base).recipe().tokenizer


def test_fine_tuning_begins_with_what_suits_the_new_text(base: Path, samples: Path, tmp_path: Path) -> None:
    said: list[str] = []
    run = train_model(
        [str(samples / "songs" / "*.txt")], tuned(base, **STILL), tmp_path / "run", base=base, say=said.append
    )
    [line] = [line for line in said if line.startswith("the network begins")]
    before, after = (
        float(figure.replace(",", "")) for figure in re.findall(r"perplexity ([\d,.]+) becomes ([\d,.]+)", line)[0]
    )
    untouched = fine_tune(base, samples, tmp_path / "untouched", **STILL, calibrate="false")
    measured = [float(metrics(path)[0]["perplexity"]) for path in (untouched, run.path)]
    assert measured == pytest.approx([before, after], rel=0.2)  # on all of the text, with dropout
    assert after < before / 2
    for layer in load_network(untouched / "model.keras").layers:
        if layer.name != "logits":
            calibrated = load_network(run.path / "model.keras").get_layer(layer.name).get_weights()
            assert all(np.array_equal(a, b) for a, b in zip(layer.get_weights(), calibrated, strict=True))


def test_what_is_learnt_already_begins_as_it_was(base: Path, samples: Path, tmp_path: Path) -> None:
    recipe = override_recipe(RunFolder.open(base).recipe(), STILL)
    run = train_model([str(samples / "headlines")], recipe, tmp_path / "run", base=base).path
    [bias, again] = [load_network(path / "model.keras").get_layer("logits").get_weights()[1] for path in (base, run)]
    assert np.array_equal(bias, again)


@pytest.mark.parametrize(
    ("frozen", "scaled"), [("projection", False), ("embedding", True), ("embedding,logits", None)]
)
def test_a_frozen_layer_is_not_calibrated(samples: Path, tmp_path: Path, frozen: str, scaled: bool | None) -> None:
    tied = {**SMALL, "tied": "true", "learning_rate": "0.03", "epochs": "5"}
    base = copy_of_trained([samples / "headlines"], "nyt-headlines", tmp_path / "base", tied)
    run = fine_tune(base, samples, tmp_path / "run", **STILL, freeze=frozen)
    before, after = (load_network(path / "model.keras") for path in (base, run))
    same = {
        layer.name: all(
            np.array_equal(a, b)
            for a, b in zip(layer.get_weights(), after.get_layer(layer.name).get_weights(), strict=True)
        )
        for layer in before.layers
    }
    assert same["embedding"]
    assert same["recurrent_1"]
    assert same["projection"] is not bool(scaled)
    assert same["logits"] is (scaled is None)


def test_a_network_of_absurd_weights_is_calibrated_without_a_traceback(
    base: Path, samples: Path, tmp_path: Path
) -> None:
    wild = tmp_path / "wild"
    shutil.copytree(base, wild)
    network = load_network(wild / "model.keras")
    kernel, bias = network.get_layer("logits").get_weights()
    network.get_layer("logits").set_weights([kernel * 1e5, bias])
    network.save(wild / "model.keras")
    said: list[str] = []
    recipe = override_recipe(RunFolder.open(base).recipe(), STILL, "lyrics-glob")
    train_model([str(samples / "songs" / "*.txt")], recipe, tmp_path / "run", base=wild, say=said.append)
    assert any(line.startswith("the network begins") and "perplexity inf becomes" in line for line in said)
