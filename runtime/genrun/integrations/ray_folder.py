"""The parts of a folder of Parquet files, divided among actors of Ray."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from genrun.errors import GenrunError, OptionError, cause, one_line
from genrun.integrations.job import TextJob
from genrun.integrations.parquet_folder import Part, write_part
from genrun.integrations.ray_data import import_ray, over_actors, retried
from genrun.integrations.table_form import import_arrow

if TYPE_CHECKING:
    import pyarrow

__all__ = ["WrittenPart", "write_parts"]


class WrittenPart(NamedTuple):
    """How many rows of a part have a text, and how many have none, by reason."""

    texts: int
    errors: dict[str, int]


def write_parts(
    parts: Sequence[Part], job: TextJob, *, actors: int = 2, cpus: float = 1, gpus: float = 0
) -> Iterator[WrittenPart]:
    """Yield the counts of each part as it is finished.

    Joins the cluster that Ray finds (``RAY_ADDRESS``), or starts one on this machine. Raises GenrunError for a part
    that failed three times, or if Ray gave up, OptionError for an actor that no machine of a local cluster can hold,
    MissingExtraError without Ray.
    """
    ray = import_ray()
    _quiet(ray)
    if not ray.is_initialized():
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR)
        except Exception as error:  # an address that does not answer, for one
            raise GenrunError(f"no Ray cluster could be joined or started: {one_line(error)}") from error
        _check_resources(ray, cpus, gpus)
    rows = [asdict(part) for part in parts]
    dataset = ray.data.from_items(rows, override_num_blocks=len(rows))
    written = over_actors(dataset, _PartWriter, (job,), actors=min(actors, len(parts)), cpus=cpus, gpus=gpus, rows=1)
    try:
        for row in written.iter_rows():
            if row["failure"]:
                raise GenrunError(row["failure"])
            yield WrittenPart(row["texts"], json.loads(row["errors"]))
    except ray.exceptions.RayError as error:
        raise GenrunError(f"Ray gave up: {one_line(error)}") from error


class _PartWriter:
    """An actor: writes one part after another, and returns the counts of each."""

    def __init__(self, job: TextJob) -> None:
        self._job = job

    def __call__(self, batch: pyarrow.Table) -> pyarrow.Table:
        return import_arrow().Table.from_pylist([self._written(Part(**row)) for row in batch.to_pylist()])

    def _written(self, part: Part) -> dict[str, Any]:
        try:
            texts, errors = retried(lambda: write_part(part, self._job))
        except Exception as error:  # one line for the user; Ray would print the tracebacks of all processes
            failure = one_line(error) if isinstance(error, GenrunError) else f"{part.source}: {cause(error)}"
            return {"texts": 0, "errors": "{}", "failure": failure}
        return {"texts": texts, "errors": json.dumps(errors), "failure": ""}


def _check_resources(ray: Any, cpus: float, gpus: float) -> None:
    """Raise OptionError if no machine can hold an actor, for which Ray would wait; a named cluster may grow."""
    if "RAY_ADDRESS" in os.environ:
        return
    nodes = [node["Resources"] for node in ray.nodes()]
    for name, wanted in (("CPU", cpus), ("GPU", gpus)):
        most = max((node.get(name, 0.0) for node in nodes), default=0.0)
        if wanted > most:
            raise OptionError(f"an actor needs {wanted:g} {name}s; the machine with the most has {most:g}")


def _quiet(ray: Any) -> None:
    """Keep Ray's bars and most of its lines off the terminal of a command."""
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray").setLevel(logging.ERROR)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
