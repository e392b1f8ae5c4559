"""Progress of generating many texts, on stderr: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import click

from genrun.cli.io.output import say

__all__ = ["Progress"]


class Progress:
    """Counts texts and tokens; prints their number, their rates, and the time left if ``total`` is known.

    Prints no progress unless ``shown``. There is no bar where the texts themselves appear on the terminal.
    """

    _REDRAW_SECONDS = 0.2
    _FIRST_LINE_SECONDS = 10.0
    _LONGEST_SECONDS = 320.0

    def __init__(self, total: int | None, *, shown: bool = True, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._clock = clock
        self._texts = self._tokens = 0
        self._drawn_texts = 0  # that the bar counts
        self._begun = clock()
        terminal = sys.stderr.isatty()
        self._lines = shown and not terminal
        self._every = self._FIRST_LINE_SECONDS if self._lines else self._REDRAW_SECONDS
        self._next = self._begun + self._every if shown else float("inf")
        self._bar: Any = None
        if shown and terminal and not sys.stdout.isatty():
            endless = (
                (_ for _ in ()) if total is None else None
            )  # an iterable without a length makes a bar without an end
            self._bar = click.progressbar(
                endless, total, label="generating", item_show_func=self._rates, show_pos=True, file=sys.stderr
            )
        elif terminal:
            self._next = float("inf")

    def advance(self, tokens: int) -> None:
        """Count a text of this many tokens."""
        self._texts += 1
        self._tokens += tokens
        if self._clock() >= self._next:
            self._show()

    def say(self, line: str) -> None:
        """Print a line on stderr, above the bar if there is one."""
        if self._bar is not None:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
        say(line)
        if self._bar is not None:
            self._bar.render_progress()

    def __enter__(self) -> Progress:
        if self._bar is not None:
            self._bar.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._draw()
            self._bar.render_finish()
        elif (
            self._lines and self._every > self._FIRST_LINE_SECONDS
        ):  # a line was printed, so print the totals as well
            seconds = self._clock() - self._begun
            self.say(f"{self._texts:,} texts in {_duration(seconds)}, {self._rates()}")

    def _show(self) -> None:
        if self._bar is not None:
            self._draw()
        else:
            self.say(self._line())
            self._every = min(2 * self._every, self._LONGEST_SECONDS)
        self._next = self._clock() + self._every

    def _draw(self) -> None:
        self._bar.update(self._texts - self._drawn_texts)
        self._drawn_texts = self._texts

    def _line(self) -> str:
        if self._total is None:
            return f"{self._texts:,} texts, {self._rates()}"
        seconds = (self._clock() - self._begun) * (self._total - self._texts) / self._texts
        return f"{self._texts:,} of {self._total:,} texts, {self._rates()}, {_duration(seconds)} left"

    def _rates(self, _: object = None) -> str:
        seconds = max(self._clock() - self._begun, 1e-9)
        return f"{self._texts / seconds:,.0f} texts/s, {self._tokens / seconds:,.0f} tokens/s"


def _duration(seconds: float) -> str:
    """Return a duration as text.

    >>> _duration(59.7), _duration(4000)
    ('60 s', '1:06:40')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"
