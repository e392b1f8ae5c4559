"""A plugin of ``llm`` (https://llm.datasette.io) that runs genrun model files: ``llm -m genrun-NAME PROMPT``.

llm imports it for every command, so it imports genrun only when a model is used.
"""

from __future__ import annotations

from collections.abc import Callable

import click
import llm

from llm_genrun.commands import genrun_group
from llm_genrun.models import AsyncGenrun, Genrun
from llm_genrun.shelf import model_files

__all__ = ["register_commands", "register_models"]


@llm.hookimpl
def register_models(register: Callable[..., None]) -> None:
    """Offer each model file of the folder as ``genrun-NAME``."""
    for name, path in model_files().items():
        register(Genrun(name, path), AsyncGenrun(name, path))


@llm.hookimpl
def register_commands(cli: click.Group) -> None:
    """Add ``llm genrun``."""
    cli.add_command(genrun_group)
