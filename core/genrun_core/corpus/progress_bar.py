"""Progress while many documents pass: a bar on a terminal, elsewhere lines in the log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import click

__all__ = ["with_progress_bar"]

T = TypeVar("T")
_log = logging.getLogger("genrun")
_SECONDS = 30.0  # between two lines


def with_progress_bar(
    items: Iterable[T], label: str, length: int | None = None, *, clock: Callable[[], float] = time.monotonic
) -> Iterator[T]:
    """Pass ``items`` on, with a bar on stderr if that is a terminal; ``length`` is how many there are, if known.

    Elsewhere, the logger ``genrun`` gets a line every 30 seconds.

    >>> list(with_progress_bar([1, 2, 3], "counting", 3))
    [1, 2, 3]
    """
    if not sys.stderr.isatty():
        yield from _with_lines(items, label, length, clock)
        return
    bar = click.progressbar(
        items, length, label=label, file=sys.stderr, show_pos=True, update_min_steps=1000, item_show_func=None
    )
    with bar as watched:
        yield from watched


def _with_lines(items: Iterable[T], label: str, length: int | None, clock: Callable[[], float]) -> Iterator[T]:
    said, of = clock(), "" if length is None else f" of {length:,}"
    for number, item in enumerate(items, 1):
        yield item
        if clock() - said > _SECONDS:
            said = clock()
            _log.info("%s: %s%s so far", label, f"{number:,}", of)
