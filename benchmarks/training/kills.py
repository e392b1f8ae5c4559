"""Twenty hard kills at random moments of one training, each resumed: the weights at the end, to the bit."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from measuring import genrun

from training.measure import Row

KILLS = 20


def run(shared: Path, work: Path) -> list[Row]:
    """Train once in peace and once with kills; return how many it took and whether the weights are the same."""
    settings = ["--recipe", "nyt-headlines", "--set", "epochs=24", "--set", "dropout=0.3"]
    arguments = [str(shared / "data" / "nyt"), *settings]
    peaceful, killed = work / "kills-none", work / "kills-twenty"
    genrun("train", *arguments, "-o", peaceful)
    moments, kills, loadable = random.Random(1), 0, 0
    process = _start(*arguments, "-o", killed)
    while kills < KILLS:
        time.sleep(moments.uniform(1, 12))
        if process.poll() is not None:  # it came to its end
            break
        process.send_signal(signal.SIGKILL)
        process.wait()
        kills += 1
        loadable += _loads(killed)
        process = _start("--resume", killed) if (killed / "run.toml").exists() else _start(*arguments, "-o", killed)
    process.wait()
    ends = [json.loads((path / "card.json").read_text("utf-8"))["training"]["weights"] for path in (peaceful, killed)]
    same = "the same" if ends[0] == ends[1] else "OTHER"
    return [
        Row(
            f"{kills} kills at random moments",
            f"{same} final weights; loadable after {loadable} of {kills}",
            "an uninterrupted training",
            "kill -9; genrun train --resume RUN",
        )
    ]


def _start(*arguments: object) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "genrun", "train", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _loads(run: Path) -> bool:
    """Whether what the kill left can be loaded: all of it, or nothing yet."""
    if not (run / "model.keras").exists():
        return True
    script = "import sys; from pathlib import Path; import keras; "
    script += "from genrun_core.network import layers, lstm; keras.saving.load_model(sys.argv[1], compile=False)"
    prepared = "from genrun_core.backend import prepare_backend; prepare_backend(); " + script
    done = subprocess.run(
        [sys.executable, "-c", prepared, str(run / "model.keras")], capture_output=True, check=False
    )
    return done.returncode == 0
