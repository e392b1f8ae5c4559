"""What other programs take of the processors while a benchmark runs."""

from __future__ import annotations

import os
import time
from pathlib import Path

__all__ = ["OtherLoad"]

_TIMES = Path("/proc/stat")  # of Linux
_IDLE = (3, 4)  # the columns idle and iowait of its first line
_NOTICEABLE = 0.15  # of a core


class OtherLoad:
    """Measures, from its making on, how many cores other programs keep busy."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._all, self._own = _busy_seconds(), time.process_time()

    def cores(self) -> float | None:
        """Return how many cores other programs used on average; None where the system does not tell."""
        seconds, now = time.monotonic() - self._began, _busy_seconds()
        if self._all is None or now is None or seconds <= 0:
            return None
        return max((now - self._all - (time.process_time() - self._own)) / seconds, 0.0)

    def note(self) -> str:
        """Return a note if that is noticeable, empty otherwise."""
        cores = self.cores()
        if cores is None or cores < _NOTICEABLE:
            return ""
        return (
            f"other programs used {cores:.1f} of {os.cpu_count()} cores meanwhile: on an idle machine, the figures "
            "would be better"
        )


def _busy_seconds() -> float | None:
    """Return the time that all cores have been busy since the system began; None if it is not Linux."""
    try:
        columns = _TIMES.read_text("ascii").splitlines()[0].split()[1:9]
        ticks = sum(int(column) for number, column in enumerate(columns) if number not in _IDLE)
        return ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return None
