"""Beam: a model handler for ``RunInference``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from genrun.checks.optional_package import optional_package
from genrun.integrations.job import TextJob
from genrun.integrations.table_form import import_arrow
from genrun.model import Model

if TYPE_CHECKING:
    from apache_beam.ml.inference.base import PredictionResult

__all__ = ["TextHandler"]

_base = optional_package("apache_beam.ml.inference.base", "running on Beam", "beam")
_MOST = 4096  # prompts at a time


class TextHandler(_base.ModelHandler):  # type: ignore[misc, name-defined]
    """Generates texts for prompts: ``prompts | RunInference(TextHandler(job))``.

    An element is a prompt, a ``str`` or None. Its result's ``inference`` is a list of rows, one for each sample:
    dictionaries with the columns of :func:`genrun.integrations.batch.generate_table`, the prompt among them. A
    ``KeyedModelHandler`` around it keeps a key beside each prompt.
    """

    def __init__(self, job: TextJob, *, max_batch_size: int = _MOST, **options: Any) -> None:
        super().__init__(max_batch_size=max_batch_size, **options)
        self._job = job

    def load_model(self) -> Model:
        """Return the opened model."""
        return self._job.model()

    def run_inference(
        self, batch: Sequence[str | None], model: Model, inference_args: dict[str, Any] | None = None
    ) -> Iterator[PredictionResult]:
        """Yield the result of each prompt, in order."""
        pa, column = import_arrow(), self._job.options.column
        table = pa.table({column: pa.array(batch, pa.string()), _NUMBER: range(len(batch))})
        rows: list[list[dict[str, Any]]] = [[] for _ in batch]
        for row in self._job.table(table).to_pylist():
            rows[row.pop(_NUMBER)].append(row)
        for prompt, inference in zip(batch, rows, strict=True):
            yield _base.PredictionResult(prompt, inference, self._job.digest)

    def get_metrics_namespace(self) -> str:
        """Return the name under which Beam counts prompts and seconds."""
        return "genrun"


_NUMBER = "genrun.number"
