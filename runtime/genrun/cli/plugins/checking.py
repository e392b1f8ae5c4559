"""``genrun plugins check``."""

from __future__ import annotations

from dataclasses import asdict

import click

__all__ = ["command"]


@click.command("check")
@click.argument("name")
@click.argument("sources", nargs=-1)
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="An option of the plugin.")
@click.option("--bad", metavar="FILE", help="A file that a reader must refuse, with file and line.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a check.")
def command(
    name: str, sources: tuple[str, ...], assignments: tuple[str, ...], bad: str | None, as_json: bool
) -> None:
    """Check that a plugin keeps its contract, or all plugins of a distribution.

    SOURCES are files for a reader; without them it is checked with its own example. The exit status is 1 if a check
    fails.
    """
    from genrun.cli.io.output import show, show_json
    from genrun.contracts.options import parse_assignments
    from genrun.diagnosing.plugin_checks import check_plugins

    failed = False
    for checked in check_plugins(name, sources, parse_assignments(assignments), bad=bad):
        failed |= checked.failed
        info = checked.info
        if not as_json:
            show(info.title)
        for outcome in checked.outcomes:
            if as_json:
                named = {"kind": info.kind, "name": info.name, "distribution": info.distribution}
                show_json({**named, **asdict(outcome)})
            else:
                show(f"  {outcome.state:8} {outcome}")
    if failed:
        raise click.exceptions.Exit(1)
