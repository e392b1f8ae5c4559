"""The run folder: what it holds, what is not written over, and what a damaged one is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import genrun
from genrun_core.runs.atomic import replacing, write_bytes
from genrun_core.training.train import resume
from support.trained import copy_of_trained, train


def test_a_run_folder_holds_what_it_says(racetrack_run: Path) -> None:
    names = {path.name for path in racetrack_run.iterdir()}
    assert names == {
        *("run.toml", "tokenizer.json", "tokens", "corpus.json", "checkpoint", "model.keras"),
        *("metrics.csv", "loss.png", "card.json"),
    }
    assert (racetrack_run / "loss.png").read_bytes().startswith(b"\x89PNG")
    card = json.loads((racetrack_run / "card.json").read_text("utf-8"))
    assert card["architecture"]["parameters"] == 1892
    assert (card["corpus"]["documents"], card["corpus"]["predicted"], card["corpus"]["longest"]) == (3, 11, 6)
    assert card["training"]["best epoch"] <= card["training"]["epochs"] == 200


def test_a_folder_that_holds_something_is_not_written_to(racetrack_run: Path, samples: Path, tmp_path: Path) -> None:
    with pytest.raises(genrun.RunFolderError, match="already holds a run: go on with --resume"):
        train([samples / "racetrack.txt"], "racetrack", racetrack_run)
    (tmp_path / "precious.txt").write_text("mine", "utf-8")
    with pytest.raises(genrun.RunFolderError, match="is not an empty folder"):
        train([samples / "racetrack.txt"], "racetrack", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_leftovers_of_killed_processes_are_removed_and_those_of_living_ones_are_not(
    samples: Path, tmp_path: Path
) -> None:
    run = copy_of_trained([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "1"})
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    leftovers = [run / f".card.{dead.pid}.partial.json", run / "checkpoint" / f".latest.{dead.pid}.partial.npz"]
    living = run / f".model.{os.getppid()}.partial.keras"
    for path in (*leftovers, living):
        path.write_bytes(b"half")
    folder = run / f".model.{dead.pid}.partial"
    folder.mkdir()
    (folder / "model.weights.h5").write_bytes(b"half")
    resume(run, epochs=2)
    assert not [path for path in (*leftovers, folder) if path.exists()]
    assert living.exists()


def test_an_aborted_beginning_is_no_obstacle(samples: Path, tmp_path: Path) -> None:
    """A kill before run.toml was whole leaves its beginning only."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / f".run.{dead.pid}.partial.toml").write_text("[rec", "utf-8")
    assert train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "1"}).exists()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("run.toml", None, "is not a run folder: it has no run.toml"),
        ("run.toml", "format_version = 1\n", "has run format 1; this genrun works with 3"),
        ("run.toml", "format_version = ", r"run\.toml: "),
        ("run.toml", "format_version = 3\n[recipe.model]\nlayer = 2\n", "model has no option 'layer'"),
        ("tokenizer.json", "{", r"tokenizer\.json: "),
        ("tokenizer.json", "{}", "tokenizer version None is not 1"),
        ("tokenizer.json", "[]", r"tokenizer\.json must hold a JSON object"),
        ("corpus.json", "[]", r"corpus\.json must hold a JSON object"),
        ("corpus.json", "{}", r"corpus\.json"),
        ("checkpoint/latest.npz", "PK", "cannot be continued from"),
        ("checkpoint/latest.npz", "", "cannot be continued from"),
    ],
)
def test_a_damaged_run_folder_is_one_line(
    samples: Path, tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    run = copy_of_trained([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "1"})
    (run / name).unlink()
    if content is not None:
        (run / name).write_text(content, "utf-8")
    with pytest.raises(genrun.RunFolderError, match=message) as caught:
        resume(run, epochs=2)
    assert "\n" not in str(caught.value)


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    write_bytes(target, b"old")

    def fail() -> None:
        with replacing(target) as beside:
            beside.write_bytes(b"half")
            raise OSError(28, "No space left on device", str(beside))

    with pytest.raises(OSError, match=r"No space left on device: '.*/file\.txt'$"):
        fail()
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]
