"""What a training runs on: one device, all GPUs of the machine, or several machines, by TensorFlow's own engines."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun.errors import OptionError, TrainingError, one_line
from genrun_core.batches import IGNORED, Batch

__all__ = ["Worker", "make_strategy", "spread", "this_worker"]


class Worker:
    """This process among those that train together: its index, 0 for the chief, and how many there are."""

    def __init__(self, index: int = 0, count: int = 1) -> None:
        self.index = index
        self.count = count

    @property
    def is_chief(self) -> bool:
        """Whether this is the process that leaves the run folder that was asked for."""
        return self.index == 0


def this_worker() -> Worker:
    """Return what ``TF_CONFIG`` says of this process, alone without it; raises OptionError for one that is broken.

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


def make_strategy(devices: str, worker: Worker) -> tf.distribute.Strategy:
    """Return the engine for ``devices``, "one" or "all"; with several workers, the one that joins them.

    Several workers must ask for it before anything is computed.
    """
    if worker.count > 1:
        try:
            return tf.distribute.MultiWorkerMirroredStrategy()
        except (RuntimeError, ValueError, tf.errors.OpError) as error:
            raise TrainingError(f"the workers of TF_CONFIG do not come together: {one_line(error)}") from error
    if devices == "all":
        gpus = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        if len(gpus) > 1:
            return tf.distribute.MirroredStrategy([gpu.name for gpu in gpus])
    return tf.distribute.get_strategy()


def spread(strategy: tf.distribute.Strategy, batch: Batch) -> tuple[Any, Any]:
    """Return inputs and targets of a batch, their rows dealt out to the replicas; rows that lack are empty ones."""
    replicas: int = strategy.num_replicas_in_sync
    if replicas == 1:
        return batch.inputs, batch.targets
    return _dealt(strategy, batch.inputs, 0), _dealt(strategy, batch.targets, IGNORED)


def _dealt(strategy: tf.distribute.Strategy, values: NDArray[np.int32], filling: int) -> Any:
    replicas: int = strategy.num_replicas_in_sync
    rows = -(-len(values) // replicas) * replicas
    full = np.full((rows, values.shape[1]), filling, np.int32)
    full[: len(values)] = values
    return strategy.experimental_distribute_values_from_function(
        lambda context: tf.constant(full[context.replica_id_in_sync_group :: replicas])
    )
