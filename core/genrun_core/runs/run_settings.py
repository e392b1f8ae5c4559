"""``run.toml``: what a training is resolved to, before it begins."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genrun.errors import RunFolderError
from genrun_core.recipes.architectures import distribution_of
from genrun_core.recipes.recipe import Recipe
from genrun_core.runs.atomic import write_bytes
from genrun_core.runs.digests import digest_of_value
from genrun_core.runs.run_files import read_toml, require_table

__all__ = ["made_with", "new_settings", "read_settings", "write_settings"]

FORMAT_VERSION = 3  # 3: tokens/ names the documents that are held out
_RECORDED = ("genrun", "tensorflow", "keras", "numpy"), ("genrun", "numpy")  # of a network, of an n-gram model
_LEARNT = ("reader", "tokenizer", "model", "training", "adapt")  # of the recipe: what weights and tokens depend on


def new_settings(recipe: Recipe, sources: list[str], validation: Sequence[str]) -> dict[str, Any]:
    """Return the content of ``run.toml`` for a new run folder."""
    return {
        "format_version": FORMAT_VERSION,
        "sources": sources,
        "validation_sources": list(validation),
        "recipe": recipe.to_dict(),
        "versions": {name: _version(name) for name in _RECORDED[not recipe.model.plugin.trained]}
        | distribution_of(recipe.model.architecture),
    }


def read_settings(path: Path) -> dict[str, Any]:
    """Return the content of ``run.toml`` in the run folder ``path``; raises RunFolderError if it is not one."""
    settings_file = path / "run.toml"
    try:
        settings = read_toml(settings_file)
    except (FileNotFoundError, NotADirectoryError) as error:
        what = "it has no run.toml" if path.is_dir() else "it is a file" if path.exists() else "nothing is there"
        what = "it is a model file, which is exported from one" if path.suffix == ".onnx" and path.exists() else what
        message = f"{path} is not a run folder: {what}; genrun train CORPUS -o RUN makes one"
        raise RunFolderError(message) from error
    version = settings.get("format_version")
    if version != FORMAT_VERSION:
        raise RunFolderError(f"{path} has run format {version!r}; this genrun works with {FORMAT_VERSION}")
    for name in ("sources", "validation_sources"):
        sources = settings.get(name, [])
        if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
            raise RunFolderError(f"{settings_file}: {name!r} must be a list of texts")
    require_table(settings, "versions", settings_file, str)
    if "digest" in settings and settings["digest"] != _digest_of_recipe(settings):
        raise RunFolderError(
            f"{settings_file}: reader, tokenizer, model or training are not as genrun wrote them; "
            "only the number of epochs can be changed, with --resume … --set epochs=…"
        )
    return settings


def made_with(versions: object) -> str:
    """Return which distribution the network of a run is of, as the end of a message; nothing for genrun's own.

    >>> made_with({"genrun": "0.1.0", "numpy": "2.0", "genrun-plugin-attention": "1.0"})
    '; made with genrun-plugin-attention 1.0'
    """
    if not isinstance(versions, Mapping):  # a damaged run folder
        return ""
    others = [f"{name} {version}" for name, version in versions.items() if name not in _RECORDED[0]]
    return f"; made with {', '.join(others)}" if others else ""


def write_settings(path: Path, settings: dict[str, Any]) -> None:
    """Write ``run.toml`` in the run folder ``path``, with the digest that is set in ``settings``."""
    import tomli_w

    settings["digest"] = _digest_of_recipe(settings)
    write_bytes(path / "run.toml", tomli_w.dumps(settings).encode())


def _digest_of_recipe(settings: Mapping[str, Any]) -> str:
    """Return the digest of what a resume may not change; a person may edit the rest."""
    recipe = settings.get("recipe", {})
    return digest_of_value({name: recipe.get(name) for name in _LEARNT} if isinstance(recipe, dict) else {})


def _version(module: str) -> str:
    """Return a package's version whatever its distribution is called (tensorflow-cpu, …)."""
    return str(importlib.import_module(module).__version__)
