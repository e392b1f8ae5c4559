"""Watches the processes that import plugins: ends slow ones, and reports which plugin ended its process.

``python -P -m genrun.diagnosing.plugin_watch`` reads the plugins from standard input and writes the results to
standard output, both JSON; :func:`genrun.diagnosing.plugin_trial.try_plugins` starts it. The plugins of one
distribution share a process.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Sequence
from multiprocessing import connection
from pathlib import Path
from typing import Any

from genrun.diagnosing.plugin_look import BUSY, look_at_all, without_answer

__all__: list[str] = []

_MOST_LOST = 5  # processes that the plugins of one distribution may end
_MOST_AT_ONCE = max(4, os.cpu_count() or 1)
_TICK_SECONDS = 0.1
_SHARE = 0.05  # of the time limit; a process that computes less than this is sleeping
# A forked process has all modules of this one. On a Mac, system libraries do not survive a fork.
_METHOD = "fork" if sys.platform == "linux" else "spawn"

Plugin = tuple[int, dict[str, str]]
Answer = dict[str, Any]


class Patience:
    """The time that ``process`` may take for a plugin: ``seconds``, or ``seconds`` of CPU time if it computes.

    So a slow import on a busy machine may take up to BUSY times ``seconds``.
    """

    def __init__(self, process: int | None, seconds: float) -> None:
        self._process, self._seconds = process, seconds
        self._begun = time.monotonic()
        self._deadline = self._begun + seconds
        self._before = self._computed = _cpu_seconds(process)

    def is_over(self) -> bool:
        """Return whether the time of the process is over."""
        now = time.monotonic()
        if now <= self._deadline:
            return False
        computed = _cpu_seconds(self._process)
        idles = computed - self._computed < _SHARE * self._seconds
        if idles or computed - self._before >= self._seconds or now > self._begun + BUSY * self._seconds:
            return True
        self._deadline, self._computed = now + self._seconds, computed
        return False


class _Look:
    """A process that imports the plugins of one distribution; ``found`` collects the results by number."""

    def __init__(
        self, plugins: Sequence[Plugin], lost: int, seconds: float, close: int | None, found: dict[int, Answer]
    ) -> None:
        self.plugins = deque(plugins)  # those without an answer
        self.lost = lost
        self._found = found
        self._seconds = seconds
        self._file: str | None = None  # of the current plugin
        context = multiprocessing.get_context(_METHOD)
        self.answers, answers = context.Pipe(duplex=False)
        close = close if _METHOD == "fork" else None
        self._process = context.Process(target=look_at_all, args=(list(plugins), answers, seconds, close))  # type: ignore[attr-defined]
        self._process.start()
        answers.close()
        self._patience = Patience(self._process.pid, seconds)

    def is_over(self) -> bool:
        """Read the available answers; return whether there will be no more."""
        over = self._process.exitcode is not None  # checked before reading, so that the last answer is not missed
        try:
            heard = False
            while self.plugins and self.answers.poll():
                self._take(json.loads(self.answers.recv_bytes()))
                heard = True
            if heard:
                self._patience = Patience(self._process.pid, self._seconds)
        except (EOFError, OSError, ValueError):
            over = True
        if self.plugins and not over and self._patience.is_over():
            self._blame(f"did not finish importing within {self._seconds:g} seconds")
            over = True
        elif self.plugins and over:
            self._process.kill()
            self._process.join()
            self._blame(_how_it_ended(self._process.exitcode))
        if over or not self.plugins:
            self._process.kill()
            self._process.join()
            self.answers.close()
        return over or not self.plugins

    def _take(self, message: dict[str, Any]) -> None:
        number, _ = self.plugins[0]
        if message["number"] != number:
            raise ValueError("an answer of another process")
        self._file = message.get("file")
        if "answer" in message:
            self._found[number] = message["answer"]
            self.plugins.popleft()

    def _blame(self, how: str) -> None:
        """Record the current plugin as broken; also all others, if too many have ended their process."""
        self.lost += 1
        while self.plugins:
            number, fields = self.plugins.popleft()
            reason = f"{fields['title']} {how}"
            self._found[number] = without_answer(reason, self._file)
            if self.lost < _MOST_LOST:
                break
            how = f"was not tried: {_MOST_LOST} others of its distribution did not finish importing"


def _cpu_seconds(process: int | None) -> float:
    """Return the CPU time of ``process`` in seconds; 0 on systems other than Linux."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # user time and system time
    except (OSError, IndexError, ValueError):
        return 0.0


def _how_it_ended(status: int | None) -> str:
    if status is not None and status >= 0:
        return f"ended the process at import (exit status {status})"
    name = next((known.name for known in signal.Signals if status == -known), "SIGKILL")
    if name == "SIGKILL":  # by itself, by the system when memory ran out, or by this module
        return "ended the process at import (killed, or it closed what it did not open)"
    return f"crashed at import ({name})"


def watch(distributions: Sequence[Sequence[Plugin]], seconds: float, close: int | None) -> dict[int, Answer]:
    """Return the result for every plugin, by number; each of ``distributions`` has a process, a few at a time."""
    found: dict[int, Answer] = {}
    waiting = deque((plugins, 0) for plugins in distributions)
    looks: list[_Look] = []
    while waiting or looks:
        while waiting and len(looks) < _MOST_AT_ONCE:
            plugins, lost = waiting.popleft()
            looks.append(_Look(plugins, lost, seconds, close, found))
        connection.wait([look.answers for look in looks], _TICK_SECONDS)
        for look in looks[:]:
            if look.is_over():
                looks.remove(look)
                if look.plugins:
                    waiting.append((look.plugins, look.lost))  # the others get a new process
    return found


def main() -> None:
    """Read the plugins, watch, write the results, and end every process that a plugin left behind."""
    asked = json.load(sys.stdin)
    private, null = os.dup(1), os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):  # a plugin may read and print
        os.dup2(null, standard)
    if _METHOD == "fork" and len(asked["distributions"]) > 1:
        importlib.import_module("numpy")  # once here, and not in every fork
    found = watch(asked["distributions"], asked["seconds"], private)
    with open(private, "w", encoding="utf-8") as answer:
        json.dump(found, answer)
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)  # including this one, which is done


if __name__ == "__main__":
    main()
