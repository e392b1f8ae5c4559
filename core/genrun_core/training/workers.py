"""This process among those that train one network together on several machines."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from genrun.errors import OptionError, one_line

__all__ = ["Worker", "this_worker"]


@dataclass(frozen=True, slots=True)
class Worker:
    """This process by its index, 0 for the chief, among ``count``.

    >>> Worker(1, 2).folder(Path("runs/a"))
    PosixPath('runs/a.worker-1')
    """

    index: int = 0
    count: int = 1

    @property
    def is_chief(self) -> bool:
        """Whether this is the process that leaves the run folder that was asked for."""
        return self.index == 0

    def folder(self, run: Path) -> Path:
        """Return where this worker keeps its run folder: every worker has one, so that they need no common disk."""
        return run if self.is_chief else run.with_name(f"{run.name}.worker-{self.index}")


def this_worker() -> Worker:
    """Return this process's place by ``TF_CONFIG``, alone without it; raises OptionError for a broken one.

    https://www.tensorflow.org/guide/distributed_training#setting_up_the_tf_config_environment_variable
    """
    text = os.environ.get("TF_CONFIG", "").strip()
    if not text:
        return Worker()
    try:
        config = json.loads(text)
        workers, task = list(config["cluster"]["worker"]), config["task"]
        index, others = int(task["index"]), set(config["cluster"]) - {"worker"}
    except (ValueError, KeyError, TypeError) as error:
        raise OptionError(
            "TF_CONFIG must read {'cluster': {'worker': [HOST:PORT, …]}, 'task': {'type': 'worker', 'index': N}} in "
            f"JSON: {type(error).__name__} {one_line(error)}"
        ) from error
    if others or task.get("type") != "worker" or not 0 <= index < len(workers):
        raise OptionError(
            f"TF_CONFIG must make this process one of its workers, not {task!r} of {config['cluster']!r}"
        )
    return Worker(index, len(workers))
