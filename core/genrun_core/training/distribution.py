"""What a training runs on: one device, all GPUs of the machine, or several machines, by TensorFlow's own engines."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun.errors import RunFolderError, TrainingError, one_line
from genrun_core.training.batching.batches import IGNORED, Batch
from genrun_core.training.workers import Worker

__all__ = ["any_worker", "check_same_corpus", "check_same_place", "make_strategy", "spread", "take_from_chief"]


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


def any_worker(strategy: tf.distribute.Strategy, flag: bool) -> bool:
    """Return whether ``flag`` is true in any of the workers; all of them must ask."""
    if strategy.num_replicas_in_sync == 1:
        return flag
    return bool(_summed(strategy, np.array([float(flag)], np.float64))[0] > 0)


def take_from_chief(strategy: tf.distribute.Strategy, worker: Worker, values: NDArray[Any]) -> NDArray[Any]:
    """Return the chief's ``values`` in every worker; they have one shape and dtype in all of them."""
    if worker.count == 1:
        return values
    share = strategy.num_replicas_in_sync / worker.count  # each replica of a worker adds the same
    mine = values.astype(np.float64) if worker.is_chief else np.zeros(values.shape, np.float64)
    taken: NDArray[Any] = (_summed(strategy, mine) / share).astype(values.dtype)
    return taken


def check_same_corpus(run: Path, strategy: tf.distribute.Strategy, worker: Worker, corpus: str) -> None:
    """Raise RunFolderError unless all workers have read the chief's corpus; ``corpus`` is its fingerprint here."""
    here = np.frombuffer(hashlib.blake2b(corpus.encode(), digest_size=16).digest(), np.uint16)  # exact as floats
    differs = bool((here != take_from_chief(strategy, worker, here)).any())
    if any_worker(strategy, differs):
        which = f"this one ({run}) has not" if differs else f"this one ({run}) has, another has not"
        raise RunFolderError(f"the workers must read the same corpus as the chief: {which}")


def check_same_place(run: Path, strategy: tf.distribute.Strategy, worker: Worker, epoch: int, step: int) -> None:
    """Raise RunFolderError unless all workers stand where the chief does; a kill may come between their saves."""
    here = np.array([epoch, step])
    chief = take_from_chief(strategy, worker, here)
    if any_worker(strategy, bool((here != chief).any())):
        raise RunFolderError(
            f"the workers stopped at different places, this one ({run}) after epoch {epoch}, the chief after "
            f"{chief[0]}: copy the chief's run folder over those of the others, then resume"
        )


def _summed(strategy: tf.distribute.Strategy, values: NDArray[np.float64]) -> NDArray[np.float64]:
    def add() -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        return context.all_reduce(tf.distribute.ReduceOp.SUM, tf.constant(values))

    each = tf.function(lambda: strategy.run(add))()
    return np.asarray(strategy.experimental_local_results(each)[0])
