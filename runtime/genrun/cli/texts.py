"""The texts that a command works on: its arguments, and standard input where one is "-"; and how they are shown."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

import click

from genrun.errors import OptionError
from genrun.results import list_words, shorten

__all__ = ["printable", "say_unknown", "texts_from"]


def texts_from(arguments: Iterable[str]) -> Iterator[str]:
    """Yield the texts one by one; raises OptionError for a line that is not UTF-8."""
    for argument in arguments:
        if argument == "-":
            yield from _standard_input()
        else:
            yield argument


def printable(text: str) -> str:
    """Return ``text`` on one line, without the power to steer a terminal: a model file may come from a stranger."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def say_unknown(text: str, words: Sequence[str]) -> None:
    """Say on stderr which words of a text the model does not know."""
    if words:
        click.echo(f"note: not in the model's vocabulary: {list_words(words)} (in {shorten(text)!r})", err=True)


def _standard_input() -> Iterator[str]:
    for number, line in enumerate(sys.stdin.buffer, 1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise OptionError(f"standard input, line {number}: a text must be UTF-8") from error
