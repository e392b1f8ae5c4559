"""The commands ``llm genrun add``, ``list``, ``remove`` and ``folder``."""

from __future__ import annotations

from pathlib import Path

import click

from llm_genrun import shelf

__all__ = ["genrun_group"]


@click.group("genrun")
def genrun_group() -> None:
    """Manage the genrun model files that llm offers as genrun-NAME."""


@genrun_group.command("add")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="The model is called genrun-NAME. [default: the name of FILE]")
@click.option("--link", is_flag=True, help="Link to FILE rather than copy it.")
@click.option("--replace", is_flag=True, help="Replace a model of that name.")
def add_command(file: Path, name: str | None, link: bool, replace: bool) -> None:
    """Offer the model file FILE to llm."""
    from genrun import GenrunError

    try:
        name = shelf.add(file, name, link=link, replace=replace)
    except (GenrunError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"genrun-{name}")
    click.echo(f'next: llm -m genrun-{name} "…"', err=True)


@genrun_group.command("list")
def list_command() -> None:
    """List the models: name, size, file."""
    for name, path in shelf.model_files().items():
        size = f"{path.stat().st_size / 1e6:.1f} MB" if path.exists() else "missing"
        file = f"{path} -> {path.readlink()}" if path.is_symlink() else str(path)
        click.echo(f"genrun-{name}  {size}  {file}")


@genrun_group.command("remove")
@click.argument("name")
def remove_command(name: str) -> None:
    """Remove the model NAME; a file that it links to stays."""
    try:
        shelf.remove(name)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error


@genrun_group.command("folder")
def folder_command() -> None:
    """Print the folder; every model file in it is offered."""
    click.echo(shelf.folder())
