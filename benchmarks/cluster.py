"""How much faster two actors of Ray are than one, with one thread each.

The time by the clock has the start of the actors in it, and what other programs take; the processor time of the
busiest actor leaves out other programs.

python benchmarks/cluster.py MODEL
"""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path
from typing import Any

from genrun.integrations.job import TextJob, text_job
from genrun.integrations.ray_data import Texts, over_actors


class Timed(Texts):
    """Notes with each row the processor time that its actor has taken so far."""

    def __call__(self, batch: Any) -> Any:
        import pyarrow as pa

        table = super().__call__(batch)
        return table.append_column("seconds", pa.array([time.process_time()] * len(table)))


def measured(ray: Any, job: TextJob, prompts: int, actors: int) -> tuple[float, float, Any]:
    """Return the seconds of a job, the processor seconds of its busiest actor, and the rows in order."""
    import pyarrow as pa

    rows = 2000
    blocks = [pa.table({"number": range(i, i + rows), "prompt": [""] * rows}) for i in range(0, prompts, rows)]
    begun = time.perf_counter()
    dataset = over_actors(ray.data.from_arrow(blocks), Timed, (job,), actors=actors, cpus=1, gpus=0, rows=rows)
    done = dataset.materialize()
    taken = time.perf_counter() - begun
    table = pa.concat_tables(ray.get(done.to_arrow_refs())).sort_by("number")
    return taken, max(table["seconds"].to_pylist()), table.drop_columns(["seconds"])


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
    print("| round | 1 actor, s | 2 actors, s | ratio | of processor time | same rows |\n|---|---|---|---|---|---|")
    for number in range(1, arguments.rounds + 1):
        (one, busy, first), (two, busiest, second) = (
            measured(ray, job, arguments.prompts, actors) for actors in (1, 2)
        )
        ratios = f"{one / two:.2f} | {busy / busiest:.2f}"
        print(f"| {number} | {one:.1f} | {two:.1f} | {ratios} | {first.equals(second)} |", flush=True)


if __name__ == "__main__":
    main()
