"""Recipes: named training configurations, read from TOML, overridden key by key, checked as a whole."""

from __future__ import annotations

import copy
import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from genrun import options, registry
from genrun.errors import OptionError, nearest, one_line
from genrun.model_file import GenerationDefaults
from genrun.tokenizer import TokenizerSettings

__all__ = [
    "CardSettings",
    "ModelSettings",
    "OutputSettings",
    "PluginChoice",
    "Recipe",
    "TrainingSettings",
    "load_recipe",
    "recipe_names",
]

ARCHITECTURES = ("lstm", "gru", "simple-rnn", "window")
_WIDEST = 65_536
OPTIMIZERS = ("adam", "rmsprop", "sgd")


@dataclass(frozen=True, slots=True)
class PluginChoice:
    """A plugin by name, with its options."""

    name: str
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """The network: embedding → ``layers`` recurrent layers (or one window layer), each with dropout → logits.

    ``architecture``: lstm, gru, simple-rnn, or window (a feed-forward model of the last ``window`` tokens; Bengio et
    al., "A Neural Probabilistic Language Model", 2003). ``dropout``: the share of each layer's outputs set to zero.
    """

    architecture: str = "lstm"
    embedding_size: int = 64
    hidden_size: int = 128
    layers: int = 1
    dropout: float = 0.0
    window: int = 4

    def __post_init__(self) -> None:
        _check_choice("architecture", self.architecture, ARCHITECTURES)
        for name, most in (("embedding_size", _WIDEST), ("hidden_size", _WIDEST), ("layers", 64), ("window", 64)):
            value = getattr(self, name)
            _check(name, value >= 1, "1 or more", value)
            _check(name, value <= most, f"at most {most:,}", value)
        _check("dropout", 0 <= self.dropout < 1, "from 0 to below 1", self.dropout)
        if self.architecture == "window" and self.layers != 1:
            raise OptionError(f"the window architecture has one layer, not {self.layers}")


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How the network is trained.

    ``batch_size``: sequences a step. ``sequence_length``: longer documents are cut into sequences of this many
    predicted tokens. ``validation``: share of the documents held out. ``patience``: epochs without improvement before
    training stops, 0 for never. ``clip_norm``: gradients are scaled down to this norm, 0 for never.
    """

    epochs: int = 20
    batch_size: int = 32
    sequence_length: int = 256
    optimizer: str = "adam"
    learning_rate: float = 0.001
    clip_norm: float = 0.0
    validation: float = 0.0
    patience: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        _check_choice("optimizer", self.optimizer, OPTIMIZERS)
        for name in ("epochs", "batch_size", "sequence_length"):
            _check(name, getattr(self, name) >= 1, "1 or more", getattr(self, name))
            _check(name, getattr(self, name) < 2**31, "below 2**31", getattr(self, name))
        _check("learning_rate", 0 < self.learning_rate < float("inf"), "above 0", self.learning_rate)
        _check("clip_norm", 0 <= self.clip_norm < float("inf"), "0 (off) or more", self.clip_norm)
        _check("validation", 0 <= self.validation < 1, "from 0 to below 1", self.validation)
        _check("patience", self.patience >= 0, "0 (off) or more", self.patience)
        _check("seed", 0 <= self.seed < 2**32, "from 0 to 2**32 - 1", self.seed)


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """What an exported model does unless told otherwise; see :class:`genrun.model_file.GenerationDefaults`."""

    max_new_tokens: int = 20
    casing: str = "none"

    def __post_init__(self) -> None:
        GenerationDefaults(max_new_tokens=self.max_new_tokens, casing=self.casing)


@dataclass(frozen=True, slots=True)
class CardSettings:
    """What the maker says about the model: its licence and where its text comes from."""

    licence: str = "unspecified"
    source: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """A complete, checked training configuration."""

    name: str
    description: str = ""
    reader: PluginChoice = field(default_factory=lambda: PluginChoice("text"))
    tokenizer: TokenizerSettings = field(default_factory=TokenizerSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    decoder: PluginChoice = field(default_factory=lambda: PluginChoice("top-k"))
    generation: OutputSettings = field(default_factory=OutputSettings)
    card: CardSettings = field(default_factory=CardSettings)

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as nested tables, the inverse of :meth:`from_dict`."""
        tables: dict[str, Any] = {"name": self.name, "description": self.description}
        for section in _SECTIONS:
            tables[section] = options.to_json(getattr(self, section))
        for section in _PLUGINS:
            choice = getattr(self, section)
            tables[section] = {"name": choice.name, **choice.options}
        return tables

    @classmethod
    def from_dict(cls, tables: Mapping[str, Any]) -> Recipe:
        """Check nested tables and return the recipe; OptionError names the section and the key."""
        for key in tables:
            if key not in {"name", "description", *_SECTIONS, *_PLUGINS}:
                raise OptionError(f"unknown section {key!r}; {nearest(key, {*_SECTIONS, *_PLUGINS})}")
            if not isinstance(tables[key], str if key in ("name", "description") else Mapping):
                raise OptionError(f"{key!r} must be {'text' if key in ('name', 'description') else 'a table'}")
        parts: dict[str, Any] = {
            section: _section(kind, tables.get(section, {}), section) for section, kind in _SECTIONS.items()
        }
        parts |= {section: _plugin(tables[section], section) for section in _PLUGINS if section in tables}
        recipe = cls(name=tables.get("name", "unnamed"), description=tables.get("description", ""), **parts)
        if recipe.model.architecture == "window" and "pad" not in recipe.tokenizer.specials:
            raise OptionError("the window architecture needs the special token 'pad' for what stands before a text")
        return recipe


_SECTIONS: dict[str, type[Any]] = {
    "tokenizer": TokenizerSettings,
    "model": ModelSettings,
    "training": TrainingSettings,
    "generation": OutputSettings,
    "card": CardSettings,
}
_PLUGINS = ("reader", "decoder")


def recipe_names() -> list[str]:
    """Return the names of the recipes that ship with genrun."""
    folder = resources.files("genrun_core.recipes")
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))


def load_recipe(
    name: str = "default", overrides: Mapping[str, str] | None = None, reader: str | None = None
) -> Recipe:
    """Return the recipe called ``name``, or the one in a TOML file of that path, with ``overrides`` applied.

    An override's key is ``section.key``, or a key alone where only one section has it; the options of the reader and
    the decoder count. ``reader`` replaces the recipe's reader. Raises OptionError with the nearest names.

    >>> load_recipe("racetrack", {"hidden_size": "16"}).model.hidden_size
    16
    """
    tables = copy.deepcopy(_read(name))
    _check_sections(name, tables)
    tables.setdefault("name", Path(name).stem)
    if reader is not None and reader != tables.get("reader", {}).get("name"):
        tables["reader"] = {"name": reader}
    for section in _PLUGINS:  # first the choice of a plugin, then the options that it has
        for key in (section, f"{section}.name"):
            if overrides and key in overrides:
                tables[section] = {"name": overrides[key]}
    for key, value in (overrides or {}).items():
        if key not in _PLUGINS and key not in {f"{section}.name" for section in _PLUGINS}:
            section, option = _place(key, tables)
            tables.setdefault(section, {})[option] = value
    try:
        return Recipe.from_dict(tables)
    except OptionError as error:
        raise OptionError(f"recipe {name!r}: {one_line(error)}") from error


def _check_sections(name: str, tables: Mapping[str, Any]) -> None:
    for section in (*_SECTIONS, *_PLUGINS):
        if not isinstance(tables.get(section, {}), dict):
            raise OptionError(f"recipe {name!r}: {section!r} must be a table")
    for section in _PLUGINS:
        if not isinstance(tables.get(section, {}).get("name", ""), str):
            raise OptionError(f"recipe {name!r}: {section} needs a 'name', a text")


def _read(name: str) -> dict[str, Any]:
    if name in recipe_names():
        text = resources.files("genrun_core.recipes").joinpath(f"{name}.toml").read_text("utf-8")
    elif name.endswith(".toml"):
        try:
            text = Path(name).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or one_line(error)
            raise OptionError(f"cannot read the recipe {name!r}: {reason}") from error
    else:
        hint = nearest(name, recipe_names())
        raise OptionError(f"unknown recipe {name!r} (a name, or a file that ends in .toml); {hint}")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise OptionError(f"recipe {name!r} is not valid TOML: {one_line(error)}") from error


def _place(key: str, tables: Mapping[str, Any]) -> tuple[str, str]:
    """Return the section and option that an override's key means."""
    known = {section: [f.name for f in dataclasses.fields(kind)] for section, kind in _SECTIONS.items()}
    for section in _PLUGINS:
        known[section] = _plugin_options(section, tables)
    section, dot, option = key.partition(".")
    if dot:
        if section not in known:
            raise OptionError(f"unknown section {section!r} in {key!r}; {nearest(section, known)}")
        if option not in known[section]:
            raise OptionError(f"{section} has no option {option!r}; {nearest(option, known[section])}")
        return section, option
    places = [section for section, names in known.items() if key in names]
    if not places:
        everything = {name for names in known.values() for name in names}
        raise OptionError(f"unknown option {key!r}; {nearest(key, everything)}")
    if len(places) > 1:
        raise OptionError(f"option {key!r} is ambiguous: {' or '.join(f'{place}.{key}' for place in places)}")
    return places[0], key


def _plugin_options(section: str, tables: Mapping[str, Any]) -> list[str]:
    default = {"reader": "text", "decoder": "top-k"}[section]
    name = tables.get(section, {}).get("name", default)
    return list(options.describe(registry.load(registry.find(section, name))))


def _section(kind: type[Any], values: Mapping[str, Any], section: str) -> Any:
    if section != "tokenizer":
        return options.build(kind, values, what=section)
    steps = values.get("normalization", [])
    if isinstance(steps, str) or not isinstance(steps, Sequence):
        raise OptionError("tokenizer: normalization must be a list of steps, given in a recipe file")
    plain = {name: value for name, value in values.items() if name != "normalization"}
    settings: TokenizerSettings = options.build(kind, plain, what=section)
    return dataclasses.replace(settings, normalization=tuple(steps))


def _plugin(values: Mapping[str, Any], section: str) -> PluginChoice:
    name = values.get("name")
    if not isinstance(name, str):
        raise OptionError(f"{section} needs a 'name'")
    chosen = {key: value for key, value in values.items() if key != "name"}
    make = registry.make_reader if section == "reader" else registry.make_decoder
    made = make(name, chosen)
    return PluginChoice(name, {key: value for key, value in options.to_json(made).items() if value is not None})


def _check(name: str, fits: bool, accepted: str, value: object) -> None:
    if not fits:
        raise OptionError(f"{name} must be {accepted}, not {value!r}")


def _check_choice(name: str, value: str, accepted: Sequence[str]) -> None:
    if value not in accepted:
        raise OptionError(f"unknown {name} {value!r}; {nearest(value, accepted)}")
