"""Ray Data: a stage of actors, each of which opens the model once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from genrun.checks.optional_package import optional_package
from genrun.integrations.job import TextJob

if TYPE_CHECKING:
    import pyarrow
    from ray.data import Dataset

__all__ = ["TRIES", "import_ray", "over_actors", "ray_stage", "retried"]

TRIES = 3  # of the rows that an exception ended; a lost actor is replaced by Ray itself
_ROWS = 4096


def import_ray() -> Any:
    """Return the module ray; raises MissingExtraError."""
    optional_package("ray.data", "running on a Ray cluster", "ray")
    return optional_package("ray", "running on a Ray cluster", "ray")


def ray_stage(
    dataset: Dataset,
    job: TextJob,
    *,
    actors: int | tuple[int, int] = 2,
    cpus: float = 1,
    gpus: float = 0,
    rows: int = _ROWS,
) -> Dataset:
    """Return ``dataset`` with texts: its rows go through ``job.table``, ``rows`` at a time.

    ``actors``: how many, or the fewest and the most. ``cpus`` and ``gpus``: what Ray reserves for each; the job's
    ``threads`` and ``device`` are what an actor uses. Rows whose actor dies are done again by another one, rows that
    an exception ends are tried three times; both give the same texts. Raises MissingExtraError without Ray.
    """
    import_ray()
    return over_actors(dataset, Texts, (job,), actors=actors, cpus=cpus, gpus=gpus, rows=rows)


def over_actors(
    dataset: Any,
    worker: Callable[..., Any],
    arguments: Sequence[object],
    *,
    actors: int | tuple[int, int],
    cpus: float,
    gpus: float,
    rows: int,
) -> Any:
    """Return ``dataset`` after actors of the class ``worker``, which is made with ``arguments``."""
    fewest, most = (actors, actors) if isinstance(actors, int) else actors
    return dataset.map_batches(
        worker,
        fn_constructor_args=arguments,
        batch_format="pyarrow",
        batch_size=rows,
        compute=import_ray().data.ActorPoolStrategy(min_size=fewest, max_size=most),
        num_cpus=cpus,
        num_gpus=gpus or None,
    )


class Texts:
    """An actor: opens the model once, and calls the job for each batch."""

    def __init__(self, job: TextJob) -> None:
        self._job = job
        job.model()

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        """Return the rows of ``batch`` with their texts."""
        return retried(lambda: self._job.table(batch))


def retried(work: Callable[[], Any]) -> Any:
    """Return what ``work`` returns; an exception is raised once :data:`TRIES` tries have failed.

    >>> retried(lambda: 3)
    3
    """
    for _ in range(TRIES - 1):
        try:
            return work()
        except Exception:  # of a driver, a file system, a library: texts are the same at the next try
            continue
    return work()
