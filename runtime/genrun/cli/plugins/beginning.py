"""``genrun plugins new``."""

from __future__ import annotations

from pathlib import Path

import click

from genrun.cli.plugin_packages.new_project import KINDS
from genrun.contracts.version import CONTRACT, OLDEST

__all__ = ["command"]


@click.command("new")
@click.argument("name")
@click.option("--kind", type=click.Choice(tuple(KINDS)), required=True, help="What the plugin is.")
@click.option(
    "-o", "folder", type=click.Path(path_type=Path), metavar="FOLDER", help="Default: genrun-plugin-NAME, here."
)
@click.option(
    "--contract",
    type=click.IntRange(OLDEST, CONTRACT),
    default=CONTRACT,
    show_default=True,
    help="The contract to write it for; an older one works with older versions of genrun too.",
)
def command(name: str, kind: str, folder: Path | None, contract: int) -> None:
    """Begin a plugin called NAME: a project with source, tests, types and workflows that works at once.

    NAME is what users will type, such as --decoder NAME.
    """
    import shlex

    from genrun.cli.io.output import say, show
    from genrun.cli.plugin_packages.new_project import write_project

    written = write_project(name, kind, folder, contract=contract)
    show(str(written))
    say(f"next: cd {shlex.quote(str(written))} && genrun install --editable '.[test]' && pytest")
