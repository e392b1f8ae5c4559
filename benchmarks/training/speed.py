"""Headlines to a training loss of 2.97: the seconds of ``genrun train`` against those of the tutorial's way."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

from measuring import genrun, measured

from training.measure import Row

LOSS = 2.9722  # what the tutorial publishes for its 30th epoch
EPOCHS = 30


def run(shared: Path, work: Path) -> list[Row]:
    """Train one epoch the tutorial's way, then all the way ours; return the ratio, and our peak memory."""
    yardstick = shared / "bench" / "seed_baseline.py"
    theirs = measured([sys.executable, str(yardstick), "headlines", "--epochs", "2", "--words", "1"])
    figures = json.loads(theirs.output.splitlines()[-1])
    ours = genrun("train", shared / "data" / "nyt", "--recipe", "nyt-headlines", "-o", work / "speed")
    with (work / "speed" / "metrics.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    reached = next(number for number, row in enumerate(rows, 1) if float(row["loss"]) <= LOSS)
    # The whole process with its start, less the epochs after the one that reached the loss.
    seconds = ours.seconds - sum(float(row["seconds"]) for row in rows[reached:])
    ratio = figures["seconds_per_epoch"] * EPOCHS / seconds
    command = "genrun train ../shared/data/nyt --recipe nyt-headlines -o RUN"
    return [
        Row(
            f"headlines to training loss {LOSS}",
            f"{seconds:.0f} s (epoch {reached}), {ratio:.1f} times less",
            f"{figures['seconds_per_epoch']:.1f} s an epoch × {EPOCHS}",
            command,
        ),
        Row(
            "the same, peak memory",
            f"{ours.mebibytes / 1024:.2f} GiB",
            f"{figures['peak_rss_gib']:.1f} GiB",
            command,
        ),
    ]
