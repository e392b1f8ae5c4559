"""Whole processes: one short text from the command line, and help; beside the least that Python could do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from measuring import Run, measured

from generation.settings import Comparison, Settings

__all__ = ["run"]

ROUNDS = 15
TOKENS = 20
_BARE = """
import sys
import numpy as np
import onnxruntime as ort
options = ort.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = ort.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
states = [np.zeros((1, *s.shape[1:]), np.float32) for s in session.get_inputs() if s.name.startswith("state.")]
token, ids = np.ones(1, np.int64), []
for _ in range(int(sys.argv[2])):
    feed = {"token": token, **{f"state.{i}": state for i, state in enumerate(states)}}
    logits, *states = session.run(["logits", *(f"state.{i}.next" for i in range(len(states)))], feed)
    token = logits.argmax(axis=1)
    ids.append(int(token[0]))
print(ids)
"""


def run(settings: Settings) -> list[Comparison]:
    """Run each command in turns."""
    python, file = settings.runtime_python, str(settings.model("april2018"))
    script = Path(python).with_name("genrun")
    genrun = [str(script)] if script.exists() else [python, "-m", "genrun"]
    commands = {
        "generate": [*genrun, "generate", file, "how", "--max-new-tokens", str(TOKENS), "--seed", "1"],
        "bare": [python, "-c", _BARE, file, str(TOKENS)],
        "help": [*genrun, "--help"],
        "pass": [python, "-c", "pass"],
    }
    found = _in_turns(commands, max(ROUNDS, settings.rounds))
    return [
        Comparison(
            f"`genrun generate MODEL how --max-new-tokens {TOKENS} --seed 1`, april2018, whole process",
            _said(found["generate"]),
            f"{_said(found['bare'])}, a bare script of numpy and onnxruntime; goal 0.20 s, 80 MiB",
            _seconds(found["generate"]) / _seconds(found["bare"]),
        ),
        Comparison(
            "`genrun --help`, whole process",
            _said(found["help"]),
            f"{_said(found['pass'])}, `python -c pass`; goal 0.10 s",
            _seconds(found["help"]) / _seconds(found["pass"]),
        ),
    ]


def _in_turns(commands: Mapping[str, list[str]], rounds: int) -> dict[str, list[Run]]:
    for command in commands.values():
        measured(command)  # files come into the system's cache
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            found[name].append(measured(command))
    return found


def _seconds(runs: Sequence[Run]) -> float:
    return median(run.seconds for run in runs)


def _said(runs: Sequence[Run]) -> str:
    return f"{_seconds(runs):.3f} s, {max(run.mebibytes for run in runs):.0f} MiB"
