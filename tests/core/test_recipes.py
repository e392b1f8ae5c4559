"""Recipes: what ships, what --set may change, and what a wrong one is told."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

import genrun
from genrun.tokenizer import VocabularyBuilder
from genrun_core.recipes.recipe import Recipe, load_recipe
from genrun_core.recipes.recipe_file import recipe_names
from support.written import WRITTEN


def test_every_shipped_recipe_loads_and_survives_the_way_through_its_tables() -> None:
    assert {"nyt-headlines", "racetrack", "april-2018", "lyricist", "default", "characters"} <= set(recipe_names())
    for name in recipe_names():
        recipe = load_recipe(name)
        assert recipe.name == name
        assert recipe.description
        assert Recipe.from_dict(recipe.to_dict()) == recipe


@pytest.mark.parametrize("name", ["default", "ngram"])
def test_what_a_recipe_for_any_texts_splits_comes_back_as_it_was_written(name: str) -> None:
    settings = load_recipe(name).tokenizer
    cased = [step for step in settings.normalization if step["step"] != "lowercase"]
    builder = VocabularyBuilder(replace(settings, normalization=tuple(cased)))
    for text in WRITTEN:
        builder.add(text)
    tokenizer = builder.build()
    assert [tokenizer.decode(tokenizer.encode(text).ids) for text in WRITTEN] == WRITTEN


@pytest.mark.parametrize(
    ("name", "architecture", "embedding", "hidden", "layers", "dropout"),
    [
        ("nyt-headlines", "lstm", 10, 100, 1, 0.1),
        ("racetrack", "simple-rnn", 10, 32, 1, 0.0),
        ("april-2018", "lstm", 10, 128, 1, 0.0),
        ("lyricist", "lstm", 256, 1024, 2, 0.0),
    ],
)
def test_reference_recipes_have_the_shape_of_their_reference(
    name: str, architecture: str, embedding: int, hidden: int, layers: int, dropout: float
) -> None:
    model = load_recipe(name).model
    assert (model.architecture, model.embedding_size, model.hidden_size) == (architecture, embedding, hidden)
    assert (model.layers, model.dropout) == (layers, dropout)


def test_an_override_needs_its_section_only_where_the_key_is_ambiguous() -> None:
    recipe = load_recipe("default", {"hidden_size": "32", "training.epochs": "3", "p": "0.5", "kind": "char"})
    assert recipe.model.hidden_size == 32
    assert recipe.training.epochs == 3
    assert recipe.decoder.options["p"] == 0.5
    assert recipe.tokenizer.kind == "char"


def test_options_of_the_chosen_reader_can_be_set() -> None:
    recipe = load_recipe("default", {"column": "title", "reader.encoding": "cp1252"}, reader="csv")
    assert recipe.reader.name == "csv"
    assert recipe.reader.options["column"] == "title"
    assert recipe.reader.options["encoding"] == "cp1252"


def test_changing_the_decoder_brings_its_own_options() -> None:
    recipe = load_recipe("default", {"decoder": "temperature", "temperature": "0.5"})
    assert recipe.decoder.name == "temperature"
    assert recipe.decoder.options == {"temperature": 0.5}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"hiden_size": "3"}, "did you mean 'hidden_size'"),
        ({"modl.layers": "3"}, "did you mean 'model'"),
        ({"model.layer": "3"}, "did you mean 'layers'"),
        ({"hidden_size": "many"}, "hidden_size must be a whole number, not 'many'"),
        ({"hidden_size": "0"}, "hidden_size must be 1 or more, not 0"),
        ({"hidden_size": "99999999999999999999"}, "hidden_size must be at most 65,536"),
        ({"batch_size": "99999999999999999999"}, "batch_size must be below 2**31"),
        ({"dropout": "1"}, "dropout must be from 0 to below 1"),
        ({"learning_rate": "nan"}, "learning_rate must be above 0"),
        ({"learning_rate": "-1"}, "learning_rate must be above 0"),
        ({"validation": "1"}, "validation must be from 0 to below 1"),
        ({"architecture": "lsmt"}, "did you mean 'lstm'"),
        ({"optimizer": "adm"}, "did you mean 'adam'"),
        ({"casing": "tittle"}, "did you mean 'title'"),
        ({"decoder": "gredy"}, "did you mean 'greedy'"),
        ({"p": "0"}, "p must be above 0 and at most 1"),
        ({"temperature": "0"}, "temperature must be a number above 0"),
        ({"specials": "pad,strat"}, "special token"),
        ({"vocabulary_limit": "2"}, "leaves no room for words"),
        ({"architecture": "window", "layers": "2"}, "the window architecture has one layer"),
        ({"architecture": "window", "recurrent_dropout": "0", "specials": "unk"}, "needs the special token 'pad'"),
        ({"architecture": "window", "recurrent_dropout": "0", "running_text": "true"}, "window has none"),
        ({"architecture": "window", "recurrent_dropout": "0.1"}, "makes no use of recurrent_dropout"),
        ({"input_dropout": "1"}, "input_dropout must be from 0 to below 1"),
        ({"recurrent_dropout": "-0.1"}, "recurrent_dropout must be from 0 to below 1"),
        ({"embedding_dropout": "nan"}, "embedding_dropout must be from 0 to below 1"),
        ({"locked_dropout": "maybe"}, "locked_dropout must be true or false"),
        ({"schedule": "cosin"}, "did you mean 'cosine'"),
        ({"warmup_steps": "-1"}, "warmup_steps must be 0 (off) or more"),
        ({"plateau_factor": "1"}, "plateau_factor must be between 0 and 1"),
        ({"plateau_patience": "0"}, "plateau_patience must be 1 or more"),
        ({"weight_decay": "0.1"}, "weight_decay is for optimizer=adamw, not 'adam'"),
        ({"optimizer": "adamw", "weight_decay": "inf"}, "weight_decay must be 0 (off) or more"),
        ({"averaging": "1"}, "averaging must be from 0 to below 1"),
        ({"clip_norm": "-1"}, "clip_norm must be 0 (off) or more"),
        ({"tied": "true", "sampled_softmax": "-1"}, "sampled_softmax must be 0 (off) or more"),
        ({"tied": "false", "sampled_softmax": "10"}, "sampled_softmax needs tied=true"),
        ({"layers": "2", "freeze": "recurent_1"}, "no layer 'recurent_1' to train; did you mean 'recurrent_1'"),
        ({"tied": "false", "layers": "2", "freeze": "x"}, "accepted: embedding, logits, recurrent_1, recurrent_2"),
        ({"tied": "false", "freeze": "projection"}, "the network has no layer 'projection'"),
        (
            {"tied": "false", "freeze": "logits,recurrent_1, embedding"},
            "with logits, recurrent_1, embedding nothing is left to train",
        ),
        (
            {"tied": "true", "sampled_softmax": "9", "validation": "0", "patience": "2"},
            "patience and schedule=plateau need validation",
        ),
        (
            {"tied": "true", "sampled_softmax": "9", "validation": "0", "patience": "0", "schedule": "plateau"},
            "need validation where sampled_softmax is used",
        ),
        ({"full_softmax": "1.1"}, "full_softmax must be from 0 to 1"),
        ({"precision": "float61"}, "did you mean 'float16'"),
        ({"devices": "al"}, "did you mean 'all'"),
    ],
)
def test_a_wrong_override_is_one_line_that_says_what_is_accepted(overrides: dict[str, str], message: str) -> None:
    with pytest.raises((genrun.OptionError, genrun.UnknownPluginError)) as caught:
        load_recipe("default", overrides)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(genrun.OptionError, match="did you mean 'nyt-headlines'"):
        load_recipe("nyt-headline")


def test_a_recipe_file_may_give_only_what_differs(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[model]\narchitecture = "gru"\n', "utf-8")
    recipe = load_recipe(str(file))
    assert recipe.name == "mine"
    assert recipe.model.architecture == "gru"
    assert recipe.reader.name == "text"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[model\n", "not valid TOML"),
        ("[modle]\n", "unknown section 'modle'; did you mean 'model'"),
        ("model = 3\n", "'model' must be a table"),
        ("[model]\nlayer = 2\n", "model has no option 'layer'; did you mean 'layers'"),
        ('[tokenizer]\nnormalization = "lowercase"\n', "normalization must be a list of steps"),
        ('[tokenizer]\nnormalization = [{ step = "lower" }]\n', "unknown normalization step 'lower'"),
        ('[tokenizer]\nnormalization = [{ step = "remove" }]\n', "takes 'characters'"),
        ("[reader]\nencoding = 'utf-8'\n", "reader needs a 'name'"),
        ("[reader]\nname = 5\n", "reader needs a 'name'"),
        ("reader = 'csv'\n", "'reader' must be a table"),
        ("[[model]]\nlayers = 1\n", "'model' must be a table"),
    ],
)
def test_a_wrong_recipe_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(genrun.OptionError) as caught:
        load_recipe(str(file), {"epochs": "3"})
    assert message in str(caught.value)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_recipe_file_is_named() -> None:
    with pytest.raises(genrun.OptionError, match=r"cannot read the recipe 'nowhere\.toml'"):
        load_recipe("nowhere.toml")


def test_a_run_records_the_recipe_as_resolved(racetrack_run: Path) -> None:
    recorded = tomllib.loads((racetrack_run / "run.toml").read_text("utf-8"))
    assert Recipe.from_dict(recorded["recipe"]) == load_recipe("racetrack")
    assert set(recorded["versions"]) == {"genrun", "tensorflow", "keras", "numpy"}


def test_a_chain_is_a_decoder_of_a_recipe_and_overrides_are_for_its_stages() -> None:
    recipe = Recipe.from_dict({"decoder": {"name": "min-p:0.05,temperature:0.8", "temperature": 0.5}})
    assert recipe.decoder.name == "min-p:p=0.05,temperature:temperature=0.5"
    assert Recipe.from_dict(recipe.to_dict()).decoder == recipe.decoder
