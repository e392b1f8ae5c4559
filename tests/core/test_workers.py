"""Training on several devices: replicas and workers learn what one device learns."""

from __future__ import annotations

import csv
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import genrun
from genrun_core.training.train import resume
from genrun_core.training.workers import Worker, this_worker
from support.trained import train, weights

SETTINGS = {"hidden_size": "16", "embedding_size": "8", "batch_size": "10", "epochs": "2", "clip_norm": "0.5"}
SETTINGS |= {"dropout": "0", "validation": "0.1"}


def losses(run: Path) -> list[float]:
    with (run / "metrics.csv").open(encoding="utf-8") as file:
        return [float(row[name]) for row in csv.DictReader(file) for name in ("loss", "val_loss")]


def command(*arguments: object) -> list[str]:
    settings = [part for key, value in SETTINGS.items() for part in ("--set", f"{key}={value}")]
    return [sys.executable, "-m", "genrun", "train", *map(str, arguments), "--recipe", "nyt-headlines", *settings]


def start_workers(commands: list[list[str]]) -> list[subprocess.Popen[str]]:
    addresses = []
    for _ in commands:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            addresses.append(f"127.0.0.1:{free.getsockname()[1]}")
    return [
        subprocess.Popen(
            command,
            env={**os.environ, "TF_CONFIG": json.dumps({"cluster": {"worker": addresses}, "task": task})},
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        for command, task in zip(
            commands, [{"type": "worker", "index": i} for i in range(len(commands))], strict=True
        )
    ]


def finish(processes: list[subprocess.Popen[str]]) -> list[str]:
    try:
        return [process.communicate(timeout=180)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()


@pytest.fixture(scope="module")
def alone(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder that one device trained with SETTINGS."""
    return train([samples / "headlines"], "nyt-headlines", tmp_path_factory.mktemp("alone") / "run", SETTINGS)


def test_two_workers_end_with_the_same_weights_and_the_losses_of_one(
    alone: Path, samples: Path, tmp_path: Path
) -> None:
    together = tmp_path / "together"
    processes = start_workers([command(samples / "headlines", "-o", together)] * 2)
    said = finish(processes)
    assert [process.returncode for process in processes] == [0, 0], said
    assert weights(together) == weights(tmp_path / "together.worker-1")
    for one, two in zip(losses(alone), losses(together), strict=True):
        assert two == pytest.approx(one, abs=1e-3)

    resumed = [[sys.executable, "-m", "genrun", "train", "--resume", str(together), "--set", "epochs=3"]] * 2
    processes = start_workers(resumed)
    said = finish(processes)
    assert [process.returncode for process in processes] == [0, 0], said
    assert weights(together) == weights(tmp_path / "together.worker-1")


def test_workers_that_a_kill_left_at_different_places_are_refused(
    alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from genrun_core.training import distribution as devices

    run = shutil.copytree(alone, tmp_path / "run")
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    # The chief has read the same corpus, which is eight numbers, and stands an epoch further, which is two.
    further = np.array([1, 0])
    monkeypatch.setattr(
        devices, "take_from_chief", lambda strategy, worker, here: here + further if len(here) == 2 else here
    )
    with pytest.raises(genrun.RunFolderError, match=r"the workers stopped at different places, .* epoch 2, .* 3: "):
        resume(run, epochs=4)
    saved = ("latest.npz", "model.keras", "metrics.csv")
    assert all(path.read_bytes() == content for path, content in before.items() if path.name in saved)


@pytest.mark.parametrize("corpus", ["aa11", "bb22"], ids=["the chief's", "another"])
def test_workers_with_different_corpora_are_refused(
    corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told to all of them: to the one whose corpus is another, and to those that would wait for it."""
    from genrun_core.training import distribution as devices
    from genrun_core.training.distribution import check_same_corpus

    sent: dict[str, Any] = {}  # by the chief, which asks first
    monkeypatch.setattr(devices, "any_worker", lambda strategy, flag: flag)
    monkeypatch.setattr(devices, "take_from_chief", lambda strategy, worker, here: sent.setdefault("chief", here))
    run, strategy = tmp_path / "run", cast(Any, None)
    check_same_corpus(run, strategy, Worker(0, 2), "aa11")
    check_same_corpus(run, strategy, Worker(1, 2), "aa11")
    monkeypatch.setattr(devices, "any_worker", lambda strategy, flag: True)  # there is one with "bb22"
    with pytest.raises(genrun.RunFolderError, match="the workers must read the same corpus as the chief: ") as caught:
        check_same_corpus(run, strategy, Worker(1, 2), corpus)
    assert ("has not" in str(caught.value).partition("(")[2].partition(",")[0]) is (corpus == "bb22")


_TWO_DEVICES = """
import json
import sys
from pathlib import Path
from genrun_core.backend import prepare_backend
prepare_backend()
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from genrun_core.recipes.recipe import load_recipe
from genrun_core.training.train import train
for output, settings in json.loads(sys.argv[2]).items():
    train([sys.argv[1]], load_recipe("nyt-headlines", {**settings, "devices": "all"}), Path(output), say=print)
"""


def test_all_devices_of_a_machine_learn_what_one_learns(alone: Path, samples: Path, tmp_path: Path) -> None:
    dropped = {**SETTINGS, "dropout": "0.2", "averaging": "0.9"}
    runs = {str(tmp_path / "plain"): SETTINGS, str(tmp_path / "dropout"): dropped}
    command = [sys.executable, "-c", _TWO_DEVICES, str(samples / "headlines"), json.dumps(runs)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count(", 2 replicas") == 2
    assert losses(tmp_path / "plain") == pytest.approx(losses(alone), abs=1e-3)
    one = train([samples / "headlines"], "nyt-headlines", tmp_path / "one", dropped)
    assert losses(tmp_path / "dropout") == pytest.approx(losses(one), abs=0.2)  # each device draws its own dropout


def test_every_worker_has_a_folder_of_its_own() -> None:
    assert Worker(0, 2).folder(Path("runs/a")) == Path("runs/a")
    assert Worker(2, 3).folder(Path("runs/a")) == Path("runs/a.worker-2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "TF_CONFIG must read"),
        ('{"cluster": {"worker": ["a:1"]}}', "TF_CONFIG must read"),
        (
            '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 1}}',
            "one of its workers, not .*'index': 1",
        ),
        (
            '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps", "index": 0}}',
            "one of its workers, not .*'ps'",
        ),
    ],
)
def test_a_broken_tf_config_is_one_line(text: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(genrun.OptionError, match=message) as caught:
        this_worker()
    assert "\n" not in str(caught.value)


def test_without_tf_config_a_process_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert this_worker() == Worker(0, 1)
