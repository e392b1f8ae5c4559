"""Architectures as plugins: genrun's own are entry points, and one that breaks its contract is named in one line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from genrun import registry
from genrun.errors import GenrunError, OptionError, PluginError, RunFolderError
from genrun_core.backend import prepare_backend
from genrun_core.recipes.recipe import load_recipe
from genrun_core.recipes.sections import ModelSettings
from genrun_core.runs.run_folder import RunFolder
from support.examples import offered

prepare_backend()

from genrun_core.network.architecture import build_network  # noqa: E402
from genrun_core.training.train import train  # noqa: E402

MODULE = """
from dataclasses import dataclass
from genrun_core.architectures import Architecture

@dataclass(frozen=True)
class Plain(Architecture):
    growth: int = 1
    uses = ()
    announced = 1
    def weights(self, model):
        return {"plain": self.announced * (model.embedding_size + 1) * model.hidden_size}
    def layers(self, model, dtype):
        import keras
        yield keras.layers.Dense(self.growth * model.hidden_size, activation="relu", name="plain", dtype=dtype)

@dataclass(frozen=True)
class Lying(Plain):
    announced = 2

@dataclass(frozen=True)
class Taken(Plain):
    dropout: float = 0.5

@dataclass(frozen=True)
class Foreign:
    def layers(self):
        return []
"""
NAMES = ("Plain", "Lying", "Taken", "Foreign")


@pytest.fixture(scope="module", autouse=True)
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "strange_architectures.py").write_text(MODULE, "utf-8")
    entries = {name.lower(): f"strange_architectures:{name}" for name in NAMES}
    with offered(folder, "strange", {"genrun.architectures": entries}):
        yield folder


def test_the_architectures_of_genrun_are_entry_points() -> None:
    names = {info.name for info in registry.plugins("architecture") if info.built_in}
    assert names == {"lstm", "gru", "simple-rnn", "window", "ngram"}
    assert ModelSettings("ngram").plugin.trained is False
    assert ModelSettings("window").plugin.carries is False


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "taken",
            {},
            "architecture 'taken' of strange 1.0 has an option 'dropout', which is the name of",
        ),
        ("foreign", {}, "architecture 'foreign' of strange 1.0 must be a subclass of genrun_core.architectures"),
        ("lying", {}, "architecture 'lying' announces 144 weights for a layer 'plain', which has 72"),
        ("plain", {"growth": 2}, "architecture 'plain' makes values of 16, not of hidden_size=8"),
        ("plain", {"groth": 2}, "architecture 'plain' has no option 'groth'; did you mean 'growth'"),
        ("plane", {}, "unknown architecture 'plane'; did you mean 'plain'"),
    ],
)
def test_a_broken_contract_is_named_in_one_line(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(GenrunError, match=message) as refusal:
        build_network(ModelSettings(name, embedding_size=8, hidden_size=8, options=options), 20)
    assert isinstance(refusal.value, (OptionError, PluginError))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"growth": "2"}, "unknown option 'growth'"),
        ({"architecture": "plain", "layers": "2"}, "architecture=plain makes no use of layers"),
        ({"architecture": "gru", "window": "2"}, "architecture=gru makes no use of window"),
        ({"architecture": "plain", "growth": "many"}, "growth must be a whole number, not 'many'"),
    ],
)
def test_an_option_belongs_to_its_architecture(settings: dict[str, str], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        load_recipe("lyricist", settings)


def test_the_options_of_an_architecture_go_with_it() -> None:
    recipe = load_recipe("lyricist", {"architecture": "plain", "growth": "1"})
    assert recipe.to_dict()["model"]["growth"] == 1
    assert recipe.model.trained_layers == ("embedding", "plain", "logits")
    assert "growth" not in load_recipe("lyricist").to_dict()["model"]


def test_a_run_says_which_distribution_its_network_is_of(
    plugins: Path, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"architecture": "plain", "hidden_size": "8", "embedding_size": "4", "epochs": "1", "growth": "1"}
    run = train([str(texts)], load_recipe("lyricist", settings | {"patience": "0"}), tmp_path / "run")
    assert run.settings["versions"]["strange"] == "1.0"
    assert run.recipe().model.options == {"growth": 1}
    with pytest.raises(OptionError, match="growth=2 cannot be"):
        train([str(texts)], load_recipe("lyricist", settings | {"growth": "2"}), tmp_path / "tuned", base=run.path)
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place != str(plugins)])
    registry.refresh()
    with pytest.raises(RunFolderError, match=r"unknown architecture 'plain'; .*; made with strange 1\.0"):
        RunFolder.open(run.path).recipe()
    monkeypatch.undo()
    registry.refresh()
