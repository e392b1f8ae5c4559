"""What each worker of a cluster gets: the model file's path and digest, settings, and the form of tables."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from genrun.errors import ModelFileError
from genrun.generating.settings import Choices, GenerationSettings
from genrun.integrations.batch import generate_table
from genrun.integrations.table_form import TableOptions, check_settings, import_arrow, table_schema
from genrun.model import Model, load

if TYPE_CHECKING:
    import pyarrow

__all__ = ["TextJob", "text_job"]


@dataclass(frozen=True, slots=True)
class TextJob:
    """Texts for the rows of tables, the same on every worker; it can be pickled. Made by :func:`text_job`.

    ``path``: the model file, the same path on every worker. ``digest``: of the file that the job was made with; a
    worker that finds another one raises ModelFileError. ``device``, ``threads`` and ``trust``: as in
    :func:`genrun.load`, for the worker.
    """

    path: str
    digest: str
    settings: GenerationSettings
    options: TableOptions
    device: str | Sequence[str] = "auto"
    threads: int | None = 1
    trust: str = "nothing"

    def model(self) -> Model:
        """Return the opened model; a process opens it once."""
        device = self.device if isinstance(self.device, str) else tuple(self.device)
        return _opened(self.path, self.digest, device, self.threads, self.trust)

    def table(self, table: pyarrow.Table | pyarrow.RecordBatch) -> pyarrow.Table:
        """Return the rows of ``table`` with their texts, see :func:`genrun.integrations.batch.generate_table`."""
        return generate_table(self.model(), table, self.options, settings=self.settings)

    def batches(self, batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        """Yield the same for record batches."""
        for batch in batches:
            yield from self.table(batch).to_batches()

    def schema(self, schema: pyarrow.Schema) -> pyarrow.Schema:
        """Return the schema of what :meth:`table` makes of a table with ``schema``; raises OptionError."""
        return table_schema(schema, self.options)


def text_job(
    path: str | os.PathLike[str],
    options: TableOptions | None = None,
    *,
    device: str | Sequence[str] = "auto",
    threads: int | None = 1,
    trust: str = "nothing",
    settings: GenerationSettings | None = None,
    **choices: Unpack[Choices],
) -> TextJob:
    """Return a job for the model file at ``path``. The file is opened here too, on the CPU, to check the ``choices``.

    The ``choices`` are the parameters of :meth:`genrun.Model.settings`, or given as ``settings``; without a seed, one
    is drawn here, for all workers. Raises what :func:`genrun.load` and :meth:`genrun.Model.settings` raise, and
    MissingExtraError without pyarrow.
    """
    import_arrow()
    with load(path, device="cpu", threads=1, trust=trust) as model:
        chosen = settings if settings is not None else model.settings(**choices)
        check_settings(chosen)
        model._generator(chosen, {})  # an error here if labels, constraint or decoder do not fit the model
        place = str(model.path.absolute())
        return TextJob(place, model.digest, chosen, options or TableOptions(), device, threads, trust)


@functools.lru_cache(maxsize=1)
def _opened(path: str, digest: str, device: Any, threads: int | None, trust: str) -> Model:
    model = load(path, device=device, threads=threads, trust=trust)
    if model.digest != digest:
        raise ModelFileError(f"{path} is not the file that the job was made with: its digest differs")
    return model
