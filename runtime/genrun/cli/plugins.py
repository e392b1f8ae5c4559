"""``genrun plugins``."""

from __future__ import annotations

import click

__all__ = ["command"]


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(as_json: bool) -> None:
    """List readers, decoders and commands: their names, who ships them, and whether they work."""
    from genrun.cli.io.output import show, show_json
    from genrun.diagnosing.plugin_listing import list_plugins

    listing = list_plugins()
    if as_json:
        for entry in listing:
            show_json(entry.to_json())
        return
    widths = [max(len(text) for text in column) for column in zip(*(entry.columns for entry in listing), strict=True)]
    for entry in listing:
        line = "  ".join(f"{text:{width}}" for text, width in zip(entry.columns, widths, strict=True))
        show(line.rstrip())
