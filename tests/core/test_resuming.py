"""Going on with a training that ended: to the same bits, and as far as a folder that lost a part allows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import genrun
from genrun_core.training.train import resume
from support.trained import copy_of_trained, metrics, train, weights


def test_a_continued_training_ends_with_the_same_bits_as_an_uninterrupted_one(samples: Path, tmp_path: Path) -> None:
    """Dropout, shuffling and the optimizer's moments go on where they were."""
    settings = {"hidden_size": "16", "embedding_size": "8", "batch_size": "8", "dropout": "0.4", "patience": "0"}
    settings |= {"layers": "1"}
    songs = [samples / "songs" / "*.txt"]
    train(songs, "lyricist", tmp_path / "whole", {**settings, "epochs": "5"})
    train(songs, "lyricist", tmp_path / "parts", {**settings, "epochs": "2"})
    resume(tmp_path / "parts", epochs=5)
    assert weights(tmp_path / "whole") == weights(tmp_path / "parts")
    whole, parts = metrics(tmp_path / "whole"), metrics(tmp_path / "parts")
    assert [row["val_loss"] for row in whole] == [row["val_loss"] for row in parts]


def test_resuming_a_finished_run_changes_nothing_and_says_so(racetrack_run: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in racetrack_run.iterdir()}
    said: list[str] = []
    resume(racetrack_run, say=said.append)
    assert {path: path.stat().st_mtime_ns for path in racetrack_run.iterdir()} == before
    assert said[-1] == "nothing to do: all 200 epochs are done (more with --set epochs=…)"


def test_early_stopping_counts_the_epochs_before_a_resume(samples: Path, tmp_path: Path) -> None:
    settings = {"hidden_size": "32", "embedding_size": "16", "layers": "1", "batch_size": "4", "patience": "2"}
    settings |= {"learning_rate": "0.05"}
    songs = [samples / "songs" / "*.txt"]
    whole = train(songs, "lyricist", tmp_path / "whole", {**settings, "epochs": "40"})
    stopped = len(metrics(whole))
    train(songs, "lyricist", tmp_path / "parts", {**settings, "epochs": str(stopped - 1)})
    resume(tmp_path / "parts", epochs=40)
    assert len(metrics(tmp_path / "parts")) == stopped


@pytest.mark.parametrize("missing", [["loss.png"], ["loss.png", "card.json"], ["card.json"]], ids=" ".join)
def test_what_a_kill_after_the_last_epoch_left_out_is_made_by_a_resume(
    samples: Path, tmp_path: Path, missing: list[str]
) -> None:
    run = copy_of_trained([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "3"})
    before, card = weights(run), (run / "card.json").read_bytes()
    for name in missing:
        (run / name).unlink()
    resume(run)
    assert (run / "loss.png").exists()
    assert (run / "card.json").read_bytes() == card
    assert weights(run) == before


def test_fewer_epochs_than_are_done_is_refused(samples: Path, tmp_path: Path) -> None:
    run = copy_of_trained([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "3"})
    settings = (run / "run.toml").read_bytes()
    with pytest.raises(genrun.OptionError, match="has 3 epochs behind it; epochs=2 would be less"):
        resume(run, epochs=2)
    assert (run / "run.toml").read_bytes() == settings


def test_a_missing_checkpoint_is_said(samples: Path, tmp_path: Path) -> None:
    run = copy_of_trained([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "1"})
    (run / "checkpoint" / "latest.npz").unlink()
    said: list[str] = []
    resume(run, epochs=2, say=said.append)
    assert "note: there is no checkpoint, so training begins again" in said


@pytest.mark.parametrize("missing", ["model.keras", "tokenizer.json", "tokens", "checkpoint", "corpus.json"])
def test_a_run_folder_that_lost_a_part_is_made_whole_by_a_resume(samples: Path, tmp_path: Path, missing: str) -> None:
    run = copy_of_trained([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "3"})
    before, lost = weights(run), run / missing
    shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    resume(run)
    assert lost.exists()
    assert weights(run) == before


def test_a_checkpoint_of_another_shape_is_refused(samples: Path, tmp_path: Path) -> None:
    small = copy_of_trained([samples / "racetrack.txt"], "racetrack", tmp_path / "small", {"epochs": "1"})
    large = train([samples / "racetrack.txt"], "racetrack", tmp_path / "large", {"epochs": "1", "layers": "2"})
    (small / "checkpoint" / "latest.npz").write_bytes((large / "checkpoint" / "latest.npz").read_bytes())
    with pytest.raises(genrun.RunFolderError, match="another shape than the recipe's"):
        resume(small, epochs=2)
