"""One call's constrained texts, from requests to finished ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genrun.generating.choosing.binding import bound
from genrun.generating.constrained.compiling import CompiledConstraint
from genrun.generating.constrained.growing_text import GrowingText
from genrun.generating.constrained.pool import Pool
from genrun.generating.constrained.product import Plan
from genrun.generating.constrained.proposals import as_chain
from genrun.generating.requests import Request, RequestQueue
from genrun.generating.row import Row
from genrun.generating.settings import GenerationSettings
from genrun.generating.stepping.session import StepSession
from genrun.generating.threads import BatchThreads
from genrun.loading.metadata import Metadata

__all__ = ["ConstrainedTexts", "particles_of"]

_MOST_ROWS = 2048  # of the texts that grow together
_PARTICLES, _PARTICLES_OF_LONG, _LONG = 32, 16, 24  # a long text is resampled often: more particles add little
_AHEAD = 4  # times as many finished texts as grow together may wait for an earlier one


class ConstrainedTexts:
    """Generates texts that meet the constraint of ``settings``.

    Raises OptionError for a constraint or a decoder that does not fit the model.
    """

    def __init__(
        self, session: StepSession, metadata: Metadata, settings: GenerationSettings, threads: BatchThreads
    ) -> None:
        self._session, self._settings, self._threads = session, settings, threads
        self._defaults = metadata.generation
        chain = bound(as_chain(settings.decoder), metadata.tokenizer, self._defaults.stop_ids, metadata.training_runs)
        self._chain = as_chain(chain)
        self._constraint = CompiledConstraint(
            settings.constraint,
            metadata.tokenizer,
            casing=settings.casing,
            end_ids=self._defaults.stop_ids,
            suppressed_ids=self._defaults.suppressed_ids,
            limit=settings.max_new_tokens,
        )

    def results(self, requests: Iterator[Request], batch_size: int) -> Iterator[Request]:
        """Yield finished requests in their order; they are taken as there is room for them.

        Raises what ``requests`` raises, and PromptError for a prompt after which the constraint cannot be met.
        """
        size = max(1, min(batch_size, _MOST_ROWS // (self._settings.particles or _PARTICLES)))
        planned = dict[Row, GrowingText]()
        queue = RequestQueue(self._planned(requests, planned), _AHEAD * size)
        pool = Pool(self._session, self._chain, self._defaults.suppressed_ids, self._threads)
        while True:
            rows: Sequence[Row] = queue.take(size - len(pool))
            pool.admit([planned.pop(row) for row in rows])
            yield from queue.finished()
            if not len(pool):
                if not rows:
                    break
                continue
            pool.advance()
            yield from queue.finished()
        if queue.refused is not None:
            raise queue.refused

    def _planned(self, requests: Iterator[Request], planned: dict[Row, GrowingText]) -> Iterator[Request]:
        for request in requests:
            plan = self._constraint.plan(request.prompt, request.encoding)
            planned[request.row] = GrowingText(
                request,
                plan,
                self._chain,
                particles=self._settings.particles or particles_of(plan),
                end_ids=frozenset(self._defaults.stop_ids),
            )
            yield request


def particles_of(plan: Plan) -> int:
    """Return how many particles a text gets by default, by the fewest tokens that meet the constraint."""
    return _PARTICLES if plan.distance[0] <= _LONG else _PARTICLES_OF_LONG
