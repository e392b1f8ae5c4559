"""Rows of columns on stdout, each column as wide as its longest text."""

from __future__ import annotations

from collections.abc import Sequence

from genrun.cli.io.output import show

__all__ = ["show_table"]


def show_table(rows: Sequence[Sequence[str]]) -> None:
    """Print ``rows``, all with the same number of columns."""
    widths = [max(len(text) for text in column) for column in zip(*rows, strict=True)]
    for row in rows:
        show("  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip())
