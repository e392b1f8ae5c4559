"""The options of ``genrun generate`` for the prompts of a folder of Parquet files."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

__all__ = ["ClusterOptions", "cluster_options"]

Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """The ``folder`` of Parquet files, the ``column`` of prompts, and the actors of Ray."""

    folder: Path
    column: str = "prompt"
    actors: int = 2
    gpus: float = 0.0


def cluster_options(command: Command) -> Command:
    """Give a command ``--ray``, ``--column``, ``--actors`` and ``--gpus`` as one parameter ``cluster``, or None."""

    @functools.wraps(command)
    def with_options(*arguments: Any, ray: Path | None, **values: Any) -> Any:
        given = {name: values.pop(name) for name in ("column", "actors", "gpus")}
        if ray is None and (named := [f"--{name}" for name, value in given.items() if value is not None]):
            raise click.UsageError(f"{named[0]} is for the folder of --ray; name it")
        chosen = {name: value for name, value in given.items() if value is not None}
        return command(*arguments, cluster=None if ray is None else ClusterOptions(ray, **chosen), **values)

    options = (
        click.option(
            "--ray",
            type=click.Path(path_type=Path),
            metavar="FOLDER",
            help="Prompts are in the Parquet files of FOLDER: actors of Ray write texts to the folder -o.",
        ),
        click.option("--column", metavar="NAME", help="For --ray: the column of prompts. [default: prompt]"),
        click.option("--actors", type=click.IntRange(1), help="For --ray: how many. [default: 2]"),
        click.option("--gpus", type=click.FloatRange(0), help="For --ray: GPUs of each actor. [default: 0]"),
    )
    return functools.reduce(lambda made, option: option(made), reversed(options), with_options)
