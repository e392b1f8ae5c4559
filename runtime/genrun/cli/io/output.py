"""The one door to a terminal, a pipe or a file: everything that a command prints goes through here."""

from __future__ import annotations

import math
import sys
from typing import Any

from genrun.checks.printable import escape_json, printable

__all__ = ["json_line", "say", "say_lines", "show", "show_json"]

_LONGEST_NOTE = 4_000  # characters; a message may quote what a stranger's file holds


def say(line: str) -> None:
    """Print a note, an error or a line of progress on stderr, whatever stands in it."""
    if len(line) > _LONGEST_NOTE:  # what to do stands at its end
        line = f"{line[: _LONGEST_NOTE // 2]} … {line[-_LONGEST_NOTE // 2 :]}"
    sys.stderr.write(f"{printable(line)}\n")
    sys.stderr.flush()


def say_lines(text: str) -> None:
    """Print the lines of a text on stderr."""
    for line in text.splitlines():
        say(line)


def show(*lines: str) -> None:
    """Print lines on stdout, each of them one line whatever stands in it."""
    from genrun.cli.io.line_writer import LineWriter

    with LineWriter() as writer:
        for line in lines:
            writer.write(line)


def show_json(value: Any) -> None:
    """Print a line on stdout that is a JSON document."""
    from genrun.cli.io.line_writer import LineWriter

    with LineWriter() as writer:
        writer.write_json(value)


def json_line(value: Any, encoding: str = "utf-8") -> str:
    r"""Return ``value`` as JSON on one line that any program reads and ``encoding`` can write.

    It carries texts exactly. What JSON has no number for (NaN, infinity) is null.

    >>> print(json_line({"text": "é\x9b", "worst": float("-inf")}))
    {"text": "é\u009b", "worst": null}
    """
    import json  # not for help

    try:
        line = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        line = json.dumps(_finite(value), ensure_ascii=False, allow_nan=False)
    line = escape_json(line)
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        return json.dumps(json.loads(line))
    return line


def _finite(value: Any) -> Any:
    """Return a JSON value with None in the place of every number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value
