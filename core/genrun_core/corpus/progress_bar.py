"""A progress bar on a terminal while a corpus is read."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

import click

__all__ = ["with_progress_bar"]

T = TypeVar("T")


def with_progress_bar(items: Iterable[T], label: str, length: int | None = None) -> Iterator[T]:
    """Pass ``items`` on, with a bar on stderr if that is a terminal; ``length`` is how many there are, if known.

    >>> list(with_progress_bar([1, 2, 3], "counting", 3))
    [1, 2, 3]
    """
    if not sys.stderr.isatty():
        yield from items
        return
    bar = click.progressbar(
        items, length, label=label, file=sys.stderr, show_pos=True, update_min_steps=1000, item_show_func=None
    )
    with bar as watched:
        yield from watched
