"""``genrun generate --ray`` on a local cluster: parts, their texts, and what a kill leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.batches import assert_complete
from support.counted_file import prompts_for

PROMPTS = 40_000

pytestmark = pytest.mark.timeout(1200)


@pytest.fixture
def prompts(samples: Path, tmp_path: Path) -> list[str]:
    """Prompts in two Parquet files below the folder ``prompts``, one of them in a folder of its own."""
    made = prompts_for(samples, PROMPTS)
    (tmp_path / "prompts" / "more").mkdir(parents=True)
    for name, first, last in (("first", 0, 25_000), ("more/second", 25_000, PROMPTS)):
        table = pa.table({"number": range(first, last), "prompt": made[first:last]})
        pq.write_table(table, tmp_path / "prompts" / f"{name}.parquet", row_group_size=3000)
    return made


def command(model: Path, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "genrun", "generate", str(model), *map(str, arguments)]


def test_a_command_that_was_killed_goes_on_with_the_parts_that_are_left(
    model: Path, prompts: list[str], tmp_path: Path
) -> None:
    output = tmp_path / "texts"
    arguments = ("--ray", tmp_path / "prompts", "-o", output, "--seed", 11)
    begun = subprocess.Popen(command(model, *arguments), stderr=subprocess.DEVNULL, start_new_session=True)
    while not list(output.rglob("*.parquet")):
        assert begun.poll() is None
        time.sleep(0.02)
    os.killpg(begun.pid, signal.SIGKILL)
    begun.wait()
    there = {file: file.stat().st_mtime_ns for file in output.rglob("[!.]*.parquet")}
    again = subprocess.run(command(model, *arguments[:4], "--resume"), capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert again.stderr.splitlines()[0] == "seed 11"
    assert {file: file.stat().st_mtime_ns for file in there} == there
    assert_complete(pq.read_table(output), model, prompts, seed=11)


def test_a_file_that_cannot_be_read_is_one_line(model: Path, tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "bad.parquet").write_bytes(b"PAR1 and nothing else")
    arguments = ("--ray", tmp_path / "prompts", "-o", tmp_path / "texts", "-q")
    done = subprocess.run(command(model, *arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {tmp_path}/prompts/bad.parquet: not a Parquet file, or a damaged one: ")
    assert done.stderr.count("\n") == 1


def test_an_actor_that_finds_no_model_file_is_one_line(model: Path, prompts: list[str], tmp_path: Path) -> None:
    copy = tmp_path / "model.onnx"
    copy.write_bytes(model.read_bytes())
    script = (
        "import sys, pathlib\n"
        "from genrun.cli import clustering, main\n"
        "whole = clustering.write_parts\n"
        "def removed_first(*arguments, **options):\n"
        "    pathlib.Path(sys.argv[2]).unlink()\n"
        "    return whole(*arguments, **options)\n"
        "clustering.write_parts = removed_first\n"
        "main()"
    )
    arguments = command(copy, "--ray", tmp_path / "prompts", "-o", tmp_path / "texts", "--seed", 1, "-q")[3:]
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    *before, last = done.stderr.splitlines()
    assert last == f"error: {copy}: cannot open the model file: No such file or directory"
    assert len(before) <= 1  # Ray says that its log is off


def test_actors_that_no_machine_can_hold_are_an_error(model: Path, prompts: list[str], tmp_path: Path) -> None:
    arguments = ("--ray", tmp_path / "prompts", "-o", tmp_path / "texts", "-q", "--gpus", 1000)
    done = subprocess.run(command(model, *arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: an actor needs 1000 GPUs; the machine with the most has ")
