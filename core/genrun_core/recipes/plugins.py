"""The reader and the decoder that a recipe names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from genrun import registry
from genrun.contracts import options
from genrun.errors import OptionError
from genrun_core.recipes.sections import PluginChoice

__all__ = ["chosen_plugin", "fitting_decoder"]


def chosen_plugin(values: Mapping[str, Any], section: str) -> PluginChoice:
    """Return the choice in the table ``section`` (reader or decoder), with all options; raises OptionError."""
    name = values.get("name")
    if not isinstance(name, str):
        raise OptionError(f"{section} needs a 'name'")
    chosen = {key: value for key, value in values.items() if key != "name"}
    if section == "reader" and PluginChoice(name).class_path:
        return PluginChoice(name)
    if section == "decoder" and registry.is_chain(name):
        return PluginChoice(registry.chain_text(registry.chain_json(registry.make_decoder(name, chosen))))
    make = registry.make_reader if section == "reader" else registry.make_decoder
    made = make(name, chosen)
    return PluginChoice(name, {key: value for key, value in options.to_json(made).items() if value is not None})


def fitting_decoder(choice: PluginChoice, kind: str) -> PluginChoice:
    """Return ``choice`` with the option to repeat a token, unless tokens are words: letters are doubled.

    >>> dict(fitting_decoder(PluginChoice("top-p", {"repeats": False}), "char").options)
    {'repeats': True}
    """
    if kind == "word" or choice.options.get("repeats", True):
        return choice
    return dataclasses.replace(choice, options={**choice.options, "repeats": True})
