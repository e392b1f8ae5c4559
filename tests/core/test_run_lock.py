"""One training at a time in a run folder, and no lock that outlives its training."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import genrun
from genrun_core.backend import prepare_backend
from genrun_core.recipes.recipe import load_recipe
from genrun_core.runs.run_lock import LOCK, training_lock
from genrun_core.training.train import resume
from genrun_core.training.train import train as train_model
from support.trained import train, weights

prepare_backend()

import keras  # noqa: E402

HOLD = """
import sys
from pathlib import Path
from genrun_core.runs.run_lock import training_lock
with training_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    """Start a process that holds the lock on ``folder`` until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


class During(keras.callbacks.Callback):  # type: ignore[misc]
    """Does something in the middle of a training, and keeps the errors."""

    def __init__(self, *attempts: Any) -> None:
        super().__init__()
        self.attempts = attempts
        self.errors: list[str] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == 0:
            for attempt in self.attempts:
                with pytest.raises(genrun.RunFolderError) as caught:
                    attempt()
                self.errors.append(str(caught.value))


def test_a_second_training_in_the_same_folder_is_refused_and_the_first_is_whole(
    samples: Path, tmp_path: Path
) -> None:
    corpus, run = [samples / "racetrack.txt"], tmp_path / "run"
    alone = train(corpus, "racetrack", tmp_path / "alone", {"epochs": "3"})
    during = During(lambda: train(corpus, "racetrack", run), lambda: resume(run))
    train_model([str(corpus[0])], load_recipe("racetrack", {"epochs": "3"}), run, callbacks=[during])
    already, training = during.errors
    assert already == f"{run} already holds a run: go on with --resume {run}, or choose another -o"
    assert training == (
        f"{run} is in training by process {os.getpid()}: wait until that ends, or choose another folder"
    )
    assert weights(run) == weights(alone)
    assert not (run / LOCK).exists()


def test_a_training_that_begins_while_another_does_is_refused(samples: Path, tmp_path: Path) -> None:
    """Before there is a run.toml, too, as when two are started a second apart."""
    process = holder(tmp_path / "run")
    with pytest.raises(genrun.RunFolderError, match=f"run is in training by process {process.pid}: wait") as caught:
        train([samples / "racetrack.txt"], "racetrack", tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert [path.name for path in (tmp_path / "run").iterdir()] == [LOCK]
    process.communicate()
    assert not (tmp_path / "run").exists()


def test_a_kill_leaves_no_lock(samples: Path, tmp_path: Path) -> None:
    process = holder(tmp_path / "run")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (tmp_path / "run" / LOCK).exists()
    run = train([samples / "racetrack.txt"], "racetrack", tmp_path / "run", {"epochs": "1"})
    assert not (run / LOCK).exists()


def test_whoever_waits_at_a_lock_file_that_was_removed_holds_nothing(tmp_path: Path) -> None:
    """The file that is locked is the one that is there, however often it was removed and made again."""
    for _ in range(3):
        with training_lock(tmp_path), pytest.raises(genrun.RunFolderError), training_lock(tmp_path):
            pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with training_lock(tmp_path):
        child = os.fork()
        if not child:
            os.close(writing)
            os.read(reading, 1)
            os._exit(0)
    with training_lock(tmp_path):
        pass
    os.close(writing)
    os.waitpid(child, 0)
    os.close(reading)


@pytest.mark.parametrize("kind", ["link", "hard link", "folder"])
def test_a_lock_file_that_leads_elsewhere_is_refused(kind: str, tmp_path: Path) -> None:
    precious, run = tmp_path / "precious.txt", tmp_path / "run"
    precious.write_text("mine", "utf-8")
    run.mkdir()
    if kind == "link":
        (run / LOCK).symlink_to(precious)
    elif kind == "hard link":
        os.link(precious, run / LOCK)
    else:
        (run / LOCK).mkdir()
    with pytest.raises(genrun.RunFolderError, match=r"run/\.lock must be a file of its own"), training_lock(run):
        pass
    assert precious.read_text("utf-8") == "mine"


def test_a_failed_beginning_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "texts.txt").write_text("\n\n", "utf-8")
    with pytest.raises(genrun.CorpusError):
        train([tmp_path / "texts.txt"], "racetrack", tmp_path / "run")
    assert not (tmp_path / "run").exists()
