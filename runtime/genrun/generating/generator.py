"""One call's way from prompts to texts: each prompt becomes a job, jobs go through a batch, results come out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from itertools import islice

from genrun.checks.arguments import check_prompt
from genrun.generating.batch import Batch, Row
from genrun.generating.draws import Draws
from genrun.generating.scheduling import generate_rows
from genrun.generating.settings import GenerationSettings
from genrun.generating.text_stream import TextStream
from genrun.loading.metadata import Metadata
from genrun.results import Result
from genrun.stepping.session import StepSession
from genrun.tokenizer import Encoding

__all__ = ["BATCH_SIZE", "Generation", "Job"]

BATCH_SIZE = 64
_AHEAD = 16  # batches of finished results that may wait for an earlier one


@dataclass(slots=True, eq=False)
class Job:
    """A prompt on its way: one row and what its result needs."""

    prompt: str
    encoding: Encoding
    sample: int
    row: Row


class Generation:
    """Generates with one model and one choice of settings; keeps nothing from one text to the next."""

    def __init__(self, session: StepSession, metadata: Metadata, settings: GenerationSettings) -> None:
        self._session = session
        self._tokenizer = metadata.tokenizer
        self._defaults = metadata.generation
        self._settings = settings

    def begin(self, prompt: str, sample: int = 0, *, watch: bool = False) -> Job:
        """Return the job of one prompt; ``watch`` for one whose pieces are asked for.

        Raises PromptError for a prompt that is no text, or with nothing to begin from.
        """
        check_prompt(prompt)
        return self._job(prompt, self._tokenizer.encode_prompt(prompt), sample, watch=watch)

    def text(self, job: Job) -> str:
        """Return the prompt of ``job`` and its continuation as one text."""
        batch = self._batch()
        batch.admit([job.row])
        while len(batch):
            batch.advance()
        return self._result(job).text

    def pieces(self, job: Job) -> Iterator[str]:
        """Yield the continuation of a watched ``job`` piece by piece."""
        batch, row = self._batch(), job.row
        batch.admit([row])
        while len(batch):
            row.new_text = ""
            batch.advance()
            if row.new_text:
                yield row.new_text
        if row.watch is not None and (held := row.watch.finish()):
            yield held

    def results(self, prompts: Iterable[str], n: int, batch_size: int) -> Iterator[Result]:
        """Yield ``n`` results for each prompt, in the order of the prompts, through a batch of bounded size.

        A list is prefetched: its prompts are taken up to half a batch ahead. Any other iterator is read only as its
        results are asked for, since it may itself wait for them.
        """
        waiting: dict[Row, Job] = {}  # in the order of the prompts
        refused: list[Exception] = []
        jobs = self._jobs(prompts, n)

        def take(count: int) -> list[Row]:
            if refused or len(waiting) > _AHEAD * batch_size:  # a slow row holds back the results of those behind it
                return []
            taken: list[Row] = []
            try:
                for job in islice(jobs, count):
                    waiting[job.row] = job
                    taken.append(job.row)
            except Exception as error:  # a bad prompt must not take those before it along
                refused.append(error)
            return taken

        known = isinstance(prompts, Sized)
        batches, lanes = self._batches(batch_size), self._session.lanes
        for _ in generate_rows(batches, take, lanes, ahead=known, dealt=known):
            while waiting and (first := next(iter(waiting))).finish_reason:
                yield self._result(waiting.pop(first))
        for error in refused:
            raise error

    def _jobs(self, prompts: Iterable[str], n: int) -> Iterator[Job]:
        for prompt in prompts:
            check_prompt(prompt)
            encoding = self._tokenizer.encode_prompt(prompt)
            for sample in range(n):
                yield self._job(prompt, encoding, sample)

    def _job(self, prompt: str, encoding: Encoding, sample: int, *, watch: bool = False) -> Job:
        draws = Draws(self._settings.seed, sample, encoding.ids)
        watcher = self._text_stream(encoding) if watch or self._settings.stops else None
        return Job(prompt, encoding, sample, Row(encoding.ids, draws, self._settings.max_new_tokens, watcher))

    def _batches(self, batch_size: int) -> list[Batch]:
        """Return the batches that ``batch_size`` rows are best divided into."""
        sizes = self._session.lanes.divided(batch_size)
        return [self._batch(size, of=len(sizes), log_probabilities=True) for size in sizes]

    def _batch(self, size: int = 1, *, of: int = 1, log_probabilities: bool = False) -> Batch:
        return Batch(
            self._session.for_batches(of),
            self._settings.decoder,
            size=size,
            stop_ids=self._defaults.stop_ids,
            suppressed_ids=self._defaults.suppressed_ids,
            log_probabilities=log_probabilities,
        )

    def _text_stream(self, encoding: Encoding) -> TextStream:
        casing = self._settings.casing
        pieces = self._tokenizer.prompt_pieces(encoding, casing)
        return TextStream(self._tokenizer, pieces, casing=casing, stops=self._settings.stops)

    def _result(self, job: Job) -> Result:
        text = self._text_stream(job.encoding)
        continuation = text.extend(job.row.new_ids)
        return Result(
            prompt=job.prompt,
            text=text.prompt_text + continuation,
            continuation=continuation,
            ids=tuple(job.row.new_ids),
            finish_reason=job.row.finish_reason,
            log_probability=job.row.log_probability,
            unknown=job.encoding.unknown,
            seed=self._settings.seed,
            sample=job.sample,
            tokens_per_second=len(job.row.new_ids) / max(job.row.finished - job.row.admitted, 1e-9),
        )
