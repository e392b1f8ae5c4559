"""The options of ``genrun generate`` for the prompts of a folder of Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import click

from genrun.cli.options.group import option_group

__all__ = ["ClusterOptions", "cluster_options"]


class ClusterOptions(NamedTuple):
    """The ``folder`` of Parquet files, the ``column`` of prompts, and the actors of Ray."""

    folder: Path
    column: str = "prompt"
    actors: int = 2
    gpus: float = 0.0


def _cluster(ray: Path | None, column: str | None, actors: int | None, gpus: float | None) -> ClusterOptions | None:
    """Return the options of ``--ray``, None without it; raises UsageError for one that needs it."""
    values = {"column": column, "actors": actors, "gpus": gpus}
    given = {name: value for name, value in values.items() if value is not None}
    if ray is not None:
        return ClusterOptions(ray, **given)  # type: ignore[arg-type]
    if given:
        raise click.UsageError(f"--{next(iter(given))} is for the folder of --ray; name it")
    return None


cluster_options = option_group(
    "cluster",
    _cluster,
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
