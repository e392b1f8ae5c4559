"""Where an override belongs: the section and the option that its key means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from genrun import registry
from genrun.errors import OptionError, nearest
from genrun_core.recipes.architectures import own_options
from genrun_core.recipes.sections import DEFAULT_ARCHITECTURE, ModelSettings, PluginChoice

__all__ = ["architecture_of", "place"]

_DEFAULTS = {"reader": "text", "decoder": "top-k"}


def place(key: str, tables: Mapping[str, Any], known: Mapping[str, Sequence[str]]) -> tuple[str, str]:
    """Return the section and option that an override's key means in a recipe of these ``tables``.

    ``known``: the options of each section that no plugin has a part in. Raises OptionError with the nearest names.
    """
    model = [*ModelSettings.common_options(), *own_options(architecture_of(tables))]
    plugins = {section: _plugin_options(section, tables) for section in _DEFAULTS}
    known = {**known, "model": model, **plugins}
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


def architecture_of(tables: Mapping[str, Any]) -> str:
    """Return the name of the architecture in a recipe of these ``tables``."""
    return str(tables.get("model", {}).get("architecture", DEFAULT_ARCHITECTURE))


def _plugin_options(section: str, tables: Mapping[str, Any]) -> list[str]:
    name = tables.get(section, {}).get("name", _DEFAULTS[section])
    if PluginChoice(name).class_path:
        return []
    return list(registry.decoder_options(name) if section == "decoder" else registry.option_names(section, name))
