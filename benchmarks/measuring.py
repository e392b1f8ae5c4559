"""Running a command to its end for its time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Run", "genrun", "measured"]


@dataclass(frozen=True, slots=True)
class Run:
    """A finished command: wall-clock ``seconds``, peak resident memory in ``mebibytes``, and what it printed."""

    seconds: float
    mebibytes: float
    output: str


def measured(command: list[str], environment: Mapping[str, str] | None = None) -> Run:
    """Run ``command`` to its end and return what it took; CalledProcessError with its words if it fails."""
    started = time.perf_counter()
    merged = {**os.environ, **(environment or {})}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=merged)
    output = "".join(process.stdout or ())
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    return Run(seconds, usage.ru_maxrss / 1024, output)


def genrun(*arguments: object, environment: Mapping[str, str] | None = None) -> Run:
    """Run a genrun command; nothing that an earlier one read is reused unless ``environment`` says where it is."""
    command = [sys.executable, "-m", "genrun", *map(str, arguments)]
    return measured(command, {"GENRUN_CACHE": "off", **(environment or {})})
