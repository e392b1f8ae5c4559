"""Two workers on this machine against one at the same batch: their loss curves, and their weights at the end."""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from measuring import genrun

from training.measure import Row


def run(shared: Path, work: Path) -> list[Row]:
    """Train alone and together; return the largest difference of the losses and whether the weights agree."""
    arguments = [str(shared / "data" / "nyt" / "ArticlesApril2018.csv"), "--recipe", "april-2018"]
    arguments += ["--set", "epochs=5", "--set", "clip_norm=1"]
    alone, together = work / "one-worker", work / "two-workers"
    genrun("train", *arguments, "-o", alone)
    addresses = [f"127.0.0.1:{_free_port()}" for _ in range(2)]
    processes = []
    for index in range(2):
        config = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        command = [sys.executable, "-m", "genrun", "train", *arguments, "-o", str(together)]
        processes.append(subprocess.Popen(command, env={**os.environ, "TF_CONFIG": json.dumps(config)}))
    codes = [process.wait() for process in processes]
    if any(codes):
        raise RuntimeError("a worker failed")
    curves = [_losses(path) for path in (alone, together)]
    difference = max(abs(a - b) for a, b in zip(*curves, strict=True))
    both = [together, together.with_name(f"{together.name}.worker-1")]
    ends = {json.loads((path / "card.json").read_text("utf-8"))["training"]["weights"] for path in both}
    return [
        Row(
            "two workers, loss curve and weights",
            f"largest difference {difference:.1e}; {'identical weights' if len(ends) == 1 else 'OTHER weights'}",
            "one worker, the same global batch",
            "TF_CONFIG=… genrun train CORPUS -o RUN, once for each worker",
        )
    ]


def _losses(run: Path) -> list[float]:
    with (run / "metrics.csv").open(encoding="utf-8") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
