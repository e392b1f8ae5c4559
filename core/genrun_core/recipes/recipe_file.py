"""The tables of a recipe: of one that comes with genrun, by its name, or of a TOML file."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from genrun.errors import OptionError, nearest, one_line

__all__ = ["read_tables", "recipe_names"]


def recipe_names() -> list[str]:
    """Return the names of the recipes that ship with genrun."""
    folder = resources.files("genrun_core.recipes")
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))


def read_tables(name: str) -> dict[str, Any]:
    """Return the tables of the recipe ``name``; raises OptionError if there is none, or it is not TOML."""
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
