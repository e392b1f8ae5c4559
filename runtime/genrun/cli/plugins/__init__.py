"""``genrun plugins``: the list, and a file for each command below it, imported when it is used."""

from __future__ import annotations

from importlib import import_module

import click

__all__ = ["command"]

_SUMMARIES = {  # module of this package, and one line for the help; a module has a click command called `command`
    "check": ("checking", "Check that a plugin keeps its contract."),
    "new": ("beginning", "Begin a plugin: a project that works at once."),
}


class _Commands(click.Group):
    """Commands that are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_SUMMARIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _SUMMARIES:
            return None
        command: click.Command = import_module(f"{__name__}.{_SUMMARIES[cmd_name][0]}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in sorted(_SUMMARIES.items())])


@click.group("plugins", cls=_Commands, invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List plugins of all kinds: the package of each, its contract, and whether it works."""
    if ctx.invoked_subcommand is None:
        from genrun.cli.io.output import show_json, show_table
        from genrun.diagnosing.plugin_listing import list_plugins

        listing = list_plugins()
        if not as_json:
            show_table([entry.columns for entry in listing])
        for entry in listing if as_json else ():
            show_json(entry.to_json())
