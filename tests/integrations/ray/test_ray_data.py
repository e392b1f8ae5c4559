"""Texts by Ray Data on a local cluster; an actor is killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray

from genrun.integrations.job import text_job
from genrun.integrations.ray_data import ray_stage
from support.batches import assert_complete
from support.counted_file import prompts_for

PROMPTS = 100_000

pytestmark = [pytest.mark.filterwarnings("default"), pytest.mark.timeout(1200)]  # Ray's own warnings; 100,000 rows


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    yield
    ray.shutdown()


def actors_of_the_stage() -> list[int]:
    """Return the processes of the stage's actors, which Ray names after it, among those below this process."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    lines = [line.split(None, 2) for line in listed.splitlines()]
    parents = {int(pid): int(parent) for pid, parent, *_ in lines}

    def is_ours(pid: int) -> bool:
        while pid in parents:
            if (pid := parents[pid]) == os.getpid():
                return True
        return False

    named = [int(pid) for pid, _, *title in lines if title and "MapBatches(Texts)" in title[0]]
    return [pid for pid in named if is_ours(pid)]


def kill_an_actor_once_there_is_a_file(folder: Path, killed: list[int]) -> None:
    """Kill one of the actors as soon as a part of the texts is written."""
    while not list(folder.glob("*.parquet")):
        time.sleep(0.05)
    [one, _] = actors_of_the_stage()
    os.kill(one, signal.SIGKILL)
    killed.append(one)


def test_a_hundred_thousand_rows_are_those_of_generate_many_although_an_actor_is_killed(
    cluster: None, model: Path, samples: Path, tmp_path: Path
) -> None:
    prompts, output, killed = prompts_for(samples, PROMPTS), tmp_path / "texts", list[int]()
    output.mkdir()
    dataset = ray.data.from_arrow(
        [pa.table({"number": range(i, i + 5000), "prompt": prompts[i : i + 5000]}) for i in range(0, PROMPTS, 5000)]
    )
    killer = threading.Thread(target=kill_an_actor_once_there_is_a_file, args=(output, killed))
    killer.start()
    ray_stage(dataset, text_job(model, seed=11), actors=2, rows=2000).write_parquet(str(output))
    killer.join(60)
    assert len(killed) == 1
    assert_complete(pq.read_table(output), model, prompts, seed=11)
