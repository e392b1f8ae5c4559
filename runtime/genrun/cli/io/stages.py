"""Progress of work in stages that cannot be counted: a line that tells the stage and its time."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

from genrun.cli.io.durations import about
from genrun.cli.io.output import say

__all__ = ["Stages"]


class Stages:
    """Shows which stage of ``what`` is going on: one line that is redrawn on a terminal, elsewhere one in 30 seconds.

    A thread of its own prints, since a stage may be a single call of native code.
    """

    _REDRAW_SECONDS = 0.5
    _LINE_SECONDS = 30.0

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what = what
        self._clock = clock
        self._begun = clock()
        self._stage = ""
        self._number = 0
        self._terminal = sys.stderr.isatty()
        self._drawn = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._show, name="genrun-stages", daemon=True)

    def begin(self, stage: str) -> None:
        """Go on to the stage with this name."""
        self._stage = stage
        self._number += 1

    def line(self) -> str:
        """Return what is going on, as a line."""
        stage = f" ({self._number}: {self._stage})" if self._stage else ""
        return f"{self._what}{stage}, {about(self._clock() - self._begun)} so far"

    def __enter__(self) -> Stages:
        """Begin to show it."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the line from a terminal."""
        self._ended.set()
        self._thread.join()
        if self._drawn:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def _show(self) -> None:
        while not self._ended.wait(self._REDRAW_SECONDS if self._terminal else self._LINE_SECONDS):
            if self._terminal:
                sys.stderr.write(f"\r\033[K{self.line()}")
                sys.stderr.flush()
                self._drawn = True
            else:
                say(self.line())
