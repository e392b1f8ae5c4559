"""Running a command for its time and memory, and the rows of the table that all of this ends in."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Row", "Run", "genrun", "held_out", "measured", "perplexity"]


@dataclass(frozen=True, slots=True)
class Run:
    """A finished command: wall-clock ``seconds``, peak resident memory in ``mebibytes``, and what it printed."""

    seconds: float
    mebibytes: float
    output: str


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: what was measured, the figure, what it is held against, and the command."""

    what: str
    figure: str
    against: str
    command: str


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


def perplexity(path: Path, *corpus: object) -> dict[str, Any]:
    """Return what ``genrun evaluate`` says of a run or model file."""
    found: dict[str, Any] = json.loads(genrun("evaluate", path, *corpus, "--json").output.splitlines()[-1])
    return found


def held_out(run: Path) -> tuple[int, float]:
    """Return the epoch with the lowest held-out perplexity, and that perplexity."""
    with (run / "metrics.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    best = min(rows, key=lambda row: float(row["val_perplexity"]))
    return int(best["epoch"]), float(best["val_perplexity"])
