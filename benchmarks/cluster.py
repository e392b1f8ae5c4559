"""How much faster two actors of Ray are than one, with one thread each; starting them is included.

python benchmarks/cluster.py MODEL
"""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path
from typing import Any

from genrun.integrations.job import TextJob, text_job
from genrun.integrations.ray_data import ray_stage


def seconds(ray: Any, job: TextJob, prompts: int, actors: int) -> tuple[float, Any]:
    """Return how long the texts of this many prompts take, and their rows in order."""
    import pyarrow as pa

    rows = 2000
    blocks = [pa.table({"number": range(i, i + rows), "prompt": [""] * rows}) for i in range(0, prompts, rows)]
    begun = time.perf_counter()
    done = ray_stage(ray.data.from_arrow(blocks), job, actors=actors, rows=rows).materialize()
    taken = time.perf_counter() - begun
    return taken, pa.concat_tables(ray.get(done.to_arrow_refs())).sort_by("number")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--prompts", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    import ray

    ray.init(log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    job = text_job(arguments.model, device="cpu", threads=1, seed=1)
    print("| round | 1 actor, s | 2 actors, s | ratio | same rows |\n|---|---|---|---|---|")
    for number in range(1, arguments.rounds + 1):
        (one, first), (two, second) = (seconds(ray, job, arguments.prompts, actors) for actors in (1, 2))
        print(f"| {number} | {one:.1f} | {two:.1f} | {one / two:.2f} | {first.equals(second)} |", flush=True)


if __name__ == "__main__":
    main()
