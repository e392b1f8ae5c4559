"""Notes on stderr and lines on stdout: everything that a command prints goes through here or the line writer."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from genrun.checks.printable import printable

__all__ = ["say", "say_lines", "show", "show_json", "show_table"]

_LONGEST_NOTE = 4_000  # characters; a message may quote a stranger's file


def say(line: str) -> None:
    """Print a note, an error or a line of progress on stderr, with control characters escaped."""
    if len(line) > _LONGEST_NOTE:  # the remedy stands at the end
        line = f"{line[: _LONGEST_NOTE // 2]} … {line[-_LONGEST_NOTE // 2 :]}"
    sys.stderr.write(f"{printable(line)}\n")
    sys.stderr.flush()


def say_lines(text: str) -> None:
    """Print the lines of a text on stderr; tabs, such as click's before the values of an option, become spaces."""
    for line in text.splitlines():
        say(line.expandtabs(4))


def show(*lines: str) -> None:
    """Print lines on stdout; a line break within one is escaped."""
    from genrun.cli.io.line_writer import LineWriter

    with LineWriter() as writer:
        for line in lines:
            writer.write(line)


def show_json(value: Any) -> None:
    """Print ``value`` on stdout as a JSON document on one line."""
    from genrun.cli.io.line_writer import LineWriter

    with LineWriter() as writer:
        writer.write_json(value)


def show_table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows of columns on stdout, each column as wide as its longest text; all rows have as many columns."""
    widths = [max(len(text) for text in column) for column in zip(*rows, strict=True)]
    for row in rows:
        show("  ".join(f"{text:{width}}" for text, width in zip(row, widths, strict=True)).rstrip())
