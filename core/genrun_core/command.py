"""``genrun train``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click
from click.core import ParameterSource

__all__ = ["command"]


@click.command("train")
@click.argument("corpus", nargs=-1)
@click.option("--reader", help="How the corpus is read (see genrun plugins). [default: the recipe's]")
@click.option(
    "--recipe", "recipe_name", default="default", show_default=True, help="A recipe's name, or a TOML file."
)
@click.option("--set", "assignments", metavar="KEY=VALUE", multiple=True, help="Override a value of the recipe.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="The run folder to make.")
@click.option("--resume", "resumed", metavar="RUN", type=click.Path(path_type=Path), help="Go on with a run folder.")
def command(
    corpus: tuple[str, ...],
    reader: str | None,
    recipe_name: str,
    assignments: tuple[str, ...],
    output: Path | None,
    resumed: Path | None,
) -> None:
    """Train a model on CORPUS (files, folders, globs; "-" for standard input) and leave a run folder.

    Options of the reader are set like any other: --reader csv --set column=title --set encoding=cp1252.
    """
    from genrun.options import parse_assignments

    overrides = parse_assignments(assignments)
    if resumed is not None:
        from genrun_core.training import resume

        chosen = click.get_current_context().get_parameter_source("recipe_name") is not ParameterSource.DEFAULT
        overrides = {key.removeprefix("training."): value for key, value in overrides.items()}
        if corpus or output or reader or chosen or set(overrides) - {"epochs"}:
            raise click.UsageError("--resume goes on with what the run folder holds; only --set epochs=… may be new")
        with _going_on(resumed):
            run = resume(resumed, epochs=_epochs(overrides), say=_say)
    else:
        from genrun_core.recipe import load_recipe
        from genrun_core.training import train

        if not corpus or output is None:
            raise click.UsageError("name a CORPUS and, with -o, the run folder to make; or --resume RUN")
        recipe = load_recipe(recipe_name, overrides, reader)
        with _going_on(output):
            run = train(corpus, recipe, output, say=_say)
    click.echo(run.path)


@contextlib.contextmanager
def _going_on(run: Path) -> Iterator[None]:
    """Tell who interrupts a training how it goes on."""
    from genrun.errors import TrainingInterrupted

    try:
        yield
    except (KeyboardInterrupt, TrainingInterrupted) as error:
        how = f"; go on with: genrun train --resume {run}" if (run / "run.toml").exists() else ""
        click.echo(f"{str(error) or 'interrupted'}{how}", err=True)
        raise click.exceptions.Exit(130) from None


def _epochs(overrides: dict[str, str]) -> int | None:
    from genrun.options import convert

    epochs: int | None = convert(overrides["epochs"], int, what="epochs") if "epochs" in overrides else None
    return epochs


def _say(line: str) -> None:
    click.echo(line, err=True)
