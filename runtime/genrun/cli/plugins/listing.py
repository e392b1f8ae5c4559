"""``genrun plugins``: the list."""

from __future__ import annotations

__all__ = ["show_plugins"]


def show_plugins(as_json: bool) -> None:
    """Print every plugin as a row, or as one JSON object a line."""
    from genrun.cli.io.output import show_json
    from genrun.cli.io.table import show_table
    from genrun.diagnosing.plugin_listing import list_plugins

    listing = list_plugins()
    if as_json:
        for entry in listing:
            show_json(entry.to_json())
        return
    show_table([entry.columns for entry in listing])
