"""What runs and files say of how well they predict, and the rows of the table that all of this ends in."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from measuring import genrun

__all__ = ["Row", "held_out", "perplexity"]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: what was measured, the figure, what it is held against, and the command."""

    what: str
    figure: str
    against: str
    command: str


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
