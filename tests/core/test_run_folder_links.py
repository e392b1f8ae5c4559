"""What training writes and deletes is in the run folder, wherever links point."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import genrun
from genrun_core.evaluation.evaluation import evaluate
from genrun_core.training.train import resume

PLACES = ("checkpoint", "tokens", "model.keras", "metrics.csv", "loss.png", "card.json", "tensorboard", "base")


@pytest.mark.parametrize("name", PLACES)
def test_a_link_where_training_writes_is_refused_and_nothing_behind_it_is_touched(
    name: str, racetrack_run: Path, tmp_path: Path
) -> None:
    run, outside = tmp_path / "run", tmp_path / "outside"
    shutil.copytree(racetrack_run, run)
    if (run / name).exists():
        (run / name).rename(outside)
    else:
        outside.mkdir()
    (run / name).symlink_to(outside)
    before = content(outside)
    with pytest.raises(
        genrun.RunFolderError, match=rf"run/{name} is a symbolic link, .*: put the \w+ itself"
    ) as caught:
        resume(run, epochs=201)
    assert "\n" not in str(caught.value)
    assert content(outside) == before


def test_a_run_folder_may_be_behind_a_link_and_is_read_through_links(
    racetrack_run: Path, samples: Path, tmp_path: Path
) -> None:
    """Its path is what the user chose; and reading writes nothing."""
    (tmp_path / "link").symlink_to(racetrack_run)
    said: list[str] = []
    resume(tmp_path / "link", say=said.append)
    assert said[-1].startswith("nothing to do")
    shutil.copytree(racetrack_run, tmp_path / "run")
    (tmp_path / "run" / "model.keras").unlink()
    (tmp_path / "run" / "model.keras").symlink_to(racetrack_run / "model.keras")
    corpus = [str(samples / "racetrack.txt")]
    assert evaluate(tmp_path / "run", corpus) == evaluate(racetrack_run, corpus)


def content(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else path.rglob("*")
    return {str(file): file.read_bytes() for file in files if file.is_file()}
