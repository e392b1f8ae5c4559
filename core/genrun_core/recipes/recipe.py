"""Recipes: named training configurations, read from TOML, overridden key by key, checked as a whole."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genrun.contracts import options
from genrun.errors import OptionError, nearest, one_line
from genrun.tokenizer import TokenizerSettings
from genrun_core.recipes.architectures import is_trained, own_options
from genrun_core.recipes.counting import ORDER, RECENT, check_given
from genrun_core.recipes.output_sections import CardSettings, OutputSettings
from genrun_core.recipes.places import architecture_of, place
from genrun_core.recipes.plugins import chosen_plugin, fitting_decoder
from genrun_core.recipes.recipe_file import read_tables
from genrun_core.recipes.sections import ModelSettings, PluginChoice, TrainingSettings

__all__ = ["ADAPTABLE", "BY_SHAPE", "KIND", "Recipe", "load_recipe", "override_recipe"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A complete, checked training configuration.

    ``adapt``: the values, as ``section.key``, that are left open until the corpus is known; see
    :mod:`genrun_core.corpus.adaptation`.
    """

    name: str
    description: str = ""
    reader: PluginChoice = field(default_factory=lambda: PluginChoice("text"))
    tokenizer: TokenizerSettings = field(default_factory=TokenizerSettings)
    model: ModelSettings = field(default_factory=ModelSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    decoder: PluginChoice = field(default_factory=lambda: PluginChoice("top-k"))
    generation: OutputSettings = field(default_factory=OutputSettings)
    card: CardSettings = field(default_factory=CardSettings)
    adapt: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse settings that do not fit together."""
        model, training = self.model, self.training
        for special in model.plugin.specials:
            if special not in self.tokenizer.specials:
                raise OptionError(
                    f"the {model.architecture} architecture needs the special token {special!r} for what stands "
                    "before a text"
                )
        if training.running_text and not model.plugin.carries:
            raise OptionError(
                f"running_text carries the state of a recurrent architecture; {model.architecture} has none"
            )
        if training.sampled_softmax and not model.tied:
            raise OptionError("sampled_softmax needs tied=true: it takes the vectors of single words")
        compares = training.patience or training.schedule == "plateau"
        if training.sampled_softmax and compares and not training.validation:
            raise OptionError("patience and schedule=plateau need validation where sampled_softmax is used")
        goes_on = training.running_text and "end" in self.tokenizer.specials
        if self.generation.end_token in ("line", "paragraph") and not goes_on:
            raise OptionError(
                f"end_token={self.generation.end_token} is for running_text=true and the special token 'end'; "
                "no other model learns what follows it"
            )
        if self.tokenizer.kind == "bpe":
            self._check_subwords()
        model.check_frozen(training.freeze)

    def _check_subwords(self) -> None:
        lowercases = any(step.get("step") == "lowercase" for step in self.tokenizer.normalization)
        if self.generation.casing == "corpus" and lowercases:
            raise OptionError(
                "casing=corpus restores the case of words; subwords keep it: leave out the step 'lowercase'"
            )
        if self.training.extend_vocabulary:
            raise OptionError("subwords need no new words: extend_vocabulary is for words and characters")

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as nested tables, the inverse of :meth:`from_dict`."""
        tables: dict[str, Any] = {"name": self.name, "description": self.description, "adapt": list(self.adapt)}
        for section in _SECTIONS:
            settings = getattr(self, section)
            tables[section] = settings.to_table() if section == "model" else options.to_json(settings)
        for section in _PLUGINS:
            choice = getattr(self, section)
            tables[section] = {"name": choice.name, **choice.options}
        return tables

    @classmethod
    def from_dict(cls, tables: Mapping[str, Any]) -> Recipe:
        """Check nested tables and return the recipe; OptionError names the section and the key."""
        for key in set(tables) - {"adapt"}:
            if key not in {"name", "description", *_SECTIONS, *_PLUGINS}:
                raise OptionError(f"unknown section {key!r}; {nearest(key, {*_SECTIONS, *_PLUGINS})}")
            if not isinstance(tables[key], str if key in ("name", "description") else Mapping):
                raise OptionError(f"{key!r} must be {'text' if key in ('name', 'description') else 'a table'}")
        parts: dict[str, Any] = {
            section: _section(kind, tables.get(section, {}), section) for section, kind in _SECTIONS.items()
        }
        parts |= {section: chosen_plugin(tables[section], section) for section in _PLUGINS if section in tables}
        parts["adapt"] = _open_values(tables)
        return cls(name=tables.get("name", "unnamed"), description=tables.get("description", ""), **parts)


_SECTIONS: dict[str, type[Any]] = {
    "tokenizer": TokenizerSettings,
    "model": ModelSettings,
    "training": TrainingSettings,
    "generation": OutputSettings,
    "card": CardSettings,
}
_OPTIONS = {section: [field.name for field in dataclasses.fields(kind)] for section, kind in _SECTIONS.items()}
_PLUGINS = ("reader", "decoder")
KIND = "tokenizer.kind"
BY_SHAPE = ("reader.documents", "training.running_text")  # known when the corpus has been looked at
ADAPTABLE = (
    KIND,
    *("model.embedding_size", "model.hidden_size", "model.dropout", "model.input_dropout"),
    *("training.epochs", "training.batch_size", "training.sequence_length"),
    *("training.warmup_steps", "training.sampled_softmax"),
    *(ORDER, RECENT),
    *BY_SHAPE,
)


def _open_values(tables: Mapping[str, Any]) -> tuple[str, ...]:
    """Return which values are left to the corpus: with ``adapt = true`` all adaptable ones that are not given.

    Of an n-gram model that is the order, of a network everything but order and recent; where they are mixed, all.
    """
    value = tables.get("adapt", False)
    if value is True:
        model = tables.get("model", {})
        is_ngram = not is_trained(architecture_of(tables))
        counts = is_ngram or options.convert(model.get("counting", False), bool, what="counting")
        of_counts = {ORDER: counts, RECENT: counts and not is_ngram}
        fitting = (name for name in ADAPTABLE if of_counts.get(name, name == KIND or not is_ngram))
        places = (name.partition(".") for name in fitting)
        return tuple(f"{section}.{key}" for section, _, key in places if key not in tables.get(section, {}))
    if value is False:
        return ()
    if not isinstance(value, (list, tuple)) or not all(name in ADAPTABLE for name in value):
        raise OptionError(f"'adapt' must be true or false, or a list of {', '.join(ADAPTABLE)}; not {value!r}")
    return tuple(value)


def load_recipe(
    name: str = "default", overrides: Mapping[str, str] | None = None, reader: str | None = None
) -> Recipe:
    """Return the recipe called ``name``, or the one in a TOML file of that path, with ``overrides`` applied.

    An override's key is ``section.key``, or a key alone where only one section has it; the options of the reader and
    the decoder count. ``reader`` replaces the recipe's reader. Raises OptionError with the nearest names.

    >>> load_recipe("racetrack", {"hidden_size": "16"}).model.hidden_size
    16
    """
    tables = copy.deepcopy(read_tables(name))
    _check_sections(name, tables)
    tables.setdefault("name", Path(name).stem)
    return _resolved(name, tables, overrides, reader)


def override_recipe(recipe: Recipe, overrides: Mapping[str, str] | None = None, reader: str | None = None) -> Recipe:
    """Return ``recipe`` with ``overrides`` applied, as :func:`load_recipe` applies them.

    >>> override_recipe(load_recipe("racetrack"), {"epochs": "5"}).training.epochs
    5
    """
    return _resolved(recipe.name, recipe.to_dict(), overrides, reader)


def _resolved(name: str, tables: dict[str, Any], overrides: Mapping[str, str] | None, reader: str | None) -> Recipe:
    if reader is not None and reader != tables.get("reader", {}).get("name"):
        tables["reader"] = {"name": reader}
    for section in _PLUGINS:  # first the choice of a plugin, then the options that it has
        for key in (section, f"{section}.name"):
            if overrides and key in overrides:
                tables[section] = {"name": overrides[key]}
    _choose_architecture(tables, overrides or {})
    overrides, given = dict(overrides or {}), []
    if "adapt" in overrides:
        tables["adapt"] = options.convert(overrides.pop("adapt"), bool, what="adapt")
    for key, value in overrides.items():
        if key not in _PLUGINS and key not in {f"{section}.name" for section in _PLUGINS}:
            section, option = place(key, tables, _OPTIONS)
            tables.setdefault(section, {})[option] = value
            given.append(f"{section}.{option}")
            if isinstance(tables.get("adapt"), list):
                tables["adapt"] = [name for name in tables["adapt"] if name != f"{section}.{option}"]
    if "adapt" in tables and any(name.startswith("tokenizer.") and "label" not in name for name in given):
        tables["adapt"] = [name for name in _open_values(tables) if name != KIND]  # what is given is for words
    try:
        recipe = Recipe.from_dict(tables)
        check_given(recipe, given)
        return dataclasses.replace(recipe, decoder=fitting_decoder(recipe.decoder, recipe.tokenizer.kind))
    except OptionError as error:
        raise OptionError(f"recipe {name!r}: {one_line(error)}") from error


def _choose_architecture(tables: dict[str, Any], overrides: Mapping[str, str]) -> None:
    """Set the architecture before other overrides, which may be its own options; those of another one go."""
    chosen = [overrides[key] for key in ("architecture", "model.architecture") if key in overrides]
    former = architecture_of(tables)
    if chosen and chosen[-1] != former:
        kept = {key: value for key, value in tables.get("model", {}).items() if key not in own_options(former)}
        tables["model"] = {**kept, "architecture": chosen[-1]}


def _check_sections(name: str, tables: Mapping[str, Any]) -> None:
    for section in (*_SECTIONS, *_PLUGINS):
        if not isinstance(tables.get(section, {}), dict):
            raise OptionError(f"recipe {name!r}: {section!r} must be a table")
    for section in _PLUGINS:
        if not isinstance(tables.get(section, {}).get("name", ""), str):
            raise OptionError(f"recipe {name!r}: {section} needs a 'name', a text")


def _section(kind: type[Any], values: Mapping[str, Any], section: str) -> Any:
    if section == "model":
        return ModelSettings.from_table(values)
    if section != "tokenizer":
        return options.build(kind, values, what=section)
    steps = values.get("normalization", [])
    if isinstance(steps, str) or not isinstance(steps, Sequence):
        raise OptionError("tokenizer: normalization must be a list of steps, given in a recipe file")
    plain = {name: value for name, value in values.items() if name != "normalization"}
    settings: TokenizerSettings = options.build(kind, plain, what=section)
    return dataclasses.replace(settings, normalization=tuple(steps))
