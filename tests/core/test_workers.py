"""Training on several devices: replicas and workers learn what one device learns."""

from __future__ import annotations

import csv
import json
import shutil
import socket
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

import genrun
from genrun_core.training.train import resume
from genrun_core.training.workers import Worker, this_worker
from support import commands
from support.trained import train, weights

SETTINGS = {"hidden_size": "16", "embedding_size": "8", "batch_size": "10", "epochs": "2", "clip_norm": "0.5"}
SETTINGS |= {"dropout": "0", "validation": "0.1"}


def losses(run: Path) -> list[float]:
    with (run / "metrics.csv").open(encoding="utf-8") as file:
        return [float(row[name]) for row in csv.DictReader(file) for name in ("loss", "val_loss")]


def together(folder: Path, *arguments: object) -> None:
    """Run ``genrun train`` on two workers."""
    addresses = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            addresses.append(f"127.0.0.1:{free.getsockname()[1]}")
    tasks = [{"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}} for i in range(2)]
    logs = [folder / f"worker-{i}.txt" for i in range(2)]
    processes = [
        commands.start(log, "train", *arguments, environment={"TF_CONFIG": json.dumps(task)})
        for log, task in zip(logs, tasks, strict=True)
    ]
    statuses = [commands.finish(process) for process in processes]
    assert statuses == [0, 0], [log.read_text("utf-8") for log in logs]


@pytest.fixture(scope="module")
def alone(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder that one device trained with SETTINGS."""
    return train([samples / "headlines"], "nyt-headlines", tmp_path_factory.mktemp("alone") / "run", SETTINGS)


def test_two_workers_end_with_the_same_weights_and_the_losses_of_one(
    alone: Path, samples: Path, tmp_path: Path
) -> None:
    run, settings = tmp_path / "run", [f"--set={key}={value}" for key, value in SETTINGS.items()]
    together(tmp_path, samples / "headlines", "--recipe", "nyt-headlines", *settings, "-o", run)
    assert weights(run) == weights(tmp_path / "run.worker-1")
    for one, two in zip(losses(alone), losses(run), strict=True):
        assert two == pytest.approx(one, abs=1e-3)

    together(tmp_path, "--resume", run, "--set", "epochs=3")
    assert weights(run) == weights(tmp_path / "run.worker-1")
    assert len(losses(run)) == 2 * 3


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
    result = commands.run(samples / "headlines", json.dumps(runs), code=_TWO_DEVICES)
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
