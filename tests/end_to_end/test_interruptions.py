"""A training that is killed at any moment leaves a run folder that goes on to the same bits."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from support.commands import finish, start
from support.trained import learnt, weights

SETTINGS = {
    **{"hidden_size": 24, "embedding_size": 8, "layers": 1, "batch_size": 8, "epochs": 8, "patience": 0},
    **{"dropout": 0.3, "input_dropout": 0.1, "recurrent_dropout": 0.1, "embedding_dropout": 0.1, "tied": "true"},
    **{"locked_dropout": "true", "running_text": "true", "sequence_length": 20, "averaging": 0.9},
    **{"optimizer": "adamw", "weight_decay": 0.01, "schedule": "cosine", "warmup_steps": 20, "sampled_softmax": 40},
}
OPTIONS = [part for name, value in SETTINGS.items() for part in ("--set", f"{name}={value}")]


def wait_until(condition: Callable[[], bool], process: BaseProcess, log: Path) -> None:
    """Wait for what a running process does; it fails if the process ends before."""
    deadline = time.monotonic() + 250
    while not condition():
        assert process.is_alive(), log.read_text("utf-8")
        assert time.monotonic() < deadline, log.read_text("utf-8")
        time.sleep(0.01)


def send(number: signal.Signals, process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, number)


def epochs(run: Path) -> int:
    """Return how many epochs a run has metrics of."""
    return len((run / "metrics.csv").read_text("utf-8").splitlines()) - 1 if (run / "metrics.csv").exists() else 0


def test_kills_while_it_prepares_and_while_it_trains_do_not_change_the_result(samples: Path, tmp_path: Path) -> None:
    corpus = ["train", samples / "songs" / "*.txt", "--recipe", "lyricist", *OPTIONS]
    whole, killed, log = tmp_path / "whole", tmp_path / "killed", tmp_path / "log.txt"
    assert finish(start(log, *corpus, "-o", whole)) == 0
    process = start(log, *corpus, "-o", killed)
    moments: list[Callable[[], bool]] = [
        (killed / "run.toml").exists,
        lambda: epochs(killed) >= 3,
    ]
    for moment in moments:
        wait_until(moment, process, log)
        send(signal.SIGKILL, process)
        assert finish(process) == -signal.SIGKILL
        process = start(log, "train", "--resume", killed)
    assert finish(process) == 0, log.read_text("utf-8")
    assert weights(killed) == weights(whole)
    assert (killed / "card.json").read_bytes() == (whole / "card.json").read_bytes()
    assert learnt(killed) == learnt(whole)
    assert not list(killed.rglob("*.partial*"))
    for run in (killed, whole):  # each in a process of its own, where names of layers begin alike
        assert finish(start(log, "export", run, "-o", f"{run}.onnx")) == 0, log.read_text("utf-8")
    assert (tmp_path / "killed.onnx").read_bytes() == (tmp_path / "whole.onnx").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interrupt_or_a_polite_kill_saves_and_is_one_line(
    number: signal.Signals, samples: Path, tmp_path: Path
) -> None:
    run, log = tmp_path / "run", tmp_path / "log.txt"
    settings = ["--recipe", "racetrack", "--set", "epochs=100000"]
    process = start(log, "train", samples / "racetrack.txt", *settings, "-o", run)
    wait_until((run / "checkpoint" / "latest.npz").exists, process, log)
    send(number, process)
    assert finish(process) == 128 + number
    said = log.read_text("utf-8")
    assert "Traceback" not in said
    stopped = re.fullmatch(
        r"stopped after (step 1 of )?epoch (\d+); everything is saved; go on with: genrun train --resume (.*)",
        said.splitlines()[-1],
    )
    assert stopped, said
    assert stopped[3] == str(run)
    assert len(learnt(run)) == int(stopped[2]) - bool(stopped[1])  # to the last epoch, whenever it saved before
