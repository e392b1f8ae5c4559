"""``genrun install`` and ``genrun uninstall``."""

from __future__ import annotations

import click

__all__ = ["install_command", "uninstall_command"]


@click.command("install", context_settings={"ignore_unknown_options": True})
@click.argument("packages", nargs=-1, required=True, type=click.UNPROCESSED)
def install_command(packages: tuple[str, ...]) -> None:
    """Install PACKAGES into the environment that genrun runs in, and show the plugins that they bring.

    A package is what pip installs: a name, a folder, a wheel, an address. Options of pip are passed on:
    `genrun install --upgrade genrun-plugin-example`.
    """
    from genrun.cli.io.output import say, show_table
    from genrun.cli.plugin_packages.installing import install
    from genrun.registry.limit import VARIABLE, current_limit

    if added := install(packages):
        show_table([each.columns for each in added])
    else:
        limited = f" ({VARIABLE} limits them)" if current_limit() is not None else ""
        say(f"no plugin was added{limited}; genrun plugins lists those that are installed")


@click.command("uninstall")
@click.argument("packages", nargs=-1, required=True)
def uninstall_command(packages: tuple[str, ...]) -> None:
    """Remove PACKAGES with plugins from the environment that genrun runs in."""
    from genrun.cli.io.output import say
    from genrun.cli.plugin_packages.installing import uninstall

    for name in uninstall(packages):
        say(f"removed {name}")
