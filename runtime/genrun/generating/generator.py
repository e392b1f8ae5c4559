"""One call's way from prompts to texts: each prompt becomes requests, these go through a batch, results come out."""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import TYPE_CHECKING

from genrun.checks.arguments import check_count, check_prompt, check_texts
from genrun.contracts import Decoder
from genrun.errors import OptionError
from genrun.generating.batch import Batch
from genrun.generating.choosing.binding import bound
from genrun.generating.choosing.policy import ChooseWith
from genrun.generating.draws import Draws
from genrun.generating.open_prompt import OpenPrompt
from genrun.generating.requests import Request, RequestQueue
from genrun.generating.row import Row
from genrun.generating.scheduling import generate_rows
from genrun.generating.settings import GenerationSettings
from genrun.generating.stepping.session import StepSession
from genrun.generating.text_stream import TextStream
from genrun.generating.threads import BatchThreads
from genrun.loading.metadata import Metadata
from genrun.results import Result
from genrun.tokenizer import Encoding
from genrun.tokenizer.encoding import encoding_of_ids

if TYPE_CHECKING:
    from genrun.generating.constrained.texts import ConstrainedTexts

__all__ = ["BATCH_SIZE", "TextGenerator"]

BATCH_SIZE = 64
_BATCHES_AHEAD = 16  # of finished results that may wait for an earlier one


class TextGenerator:
    """Generates with one model and one set of settings; keeps nothing from one text to the next."""

    def __init__(
        self, session: StepSession, metadata: Metadata, settings: GenerationSettings, threads: BatchThreads
    ) -> None:
        self._session = session
        self.tokenizer = metadata.tokenizer
        self._defaults = metadata.generation
        self.settings = settings
        self._labels = dict(settings.labels)
        metadata.tokenizer.labels.ids(self._labels)  # wrong ones are an error before the first prompt
        self._training_runs = runs = metadata.training_runs
        self._bind = functools.partial(
            bound, tokenizer=metadata.tokenizer, end_ids=metadata.generation.stop_ids, training_runs=runs
        )
        self._decoder = self._bind(settings.decoder)
        self._threads = threads
        self._choose_with: ChooseWith = "auto"
        self._constrained: ConstrainedTexts | None = None
        if settings.constraint:
            from genrun.generating.constrained.texts import ConstrainedTexts

            self._constrained = ConstrainedTexts(session, metadata, settings, threads)

    @property
    def constrained(self) -> bool:
        """Whether texts have to meet a constraint: they are not made token by token, and are no rows of a batch."""
        return self._constrained is not None

    def with_decoder(self, decoder: Decoder) -> TextGenerator:
        """Return a generator that differs in its decoder, which is bound to the model."""
        other = copy.copy(self)
        other._decoder = self._bind(decoder)
        return other

    def choosing_with(self, choose_with: ChooseWith) -> TextGenerator:
        """Return a generator that leaves every choice to this, as a Chooser does; on a GPU nothing changes.

        With ``decoder``, log-probabilities do not depend on the number of rows.
        """
        other = copy.copy(self)
        other._choose_with = choose_with if self._session.device == "cpu" else "auto"
        return other

    def begin(
        self, prompt: str, *, sample: int = 0, streaming: bool = False, ids: Sequence[int] | None = None
    ) -> Request:
        """Return the request for one text; ``streaming`` for one whose pieces are asked for.

        ``ids``: the tokens of the prompt, which is then not read. Raises PromptError for a prompt that is no text, or
        with nothing to begin from, OptionError for ``sample``, for ids beside labels, and for settings of a search,
        which finds texts together.
        """
        if self.settings.search is not None:
            raise OptionError("beam, distinct and spread find whole texts together: they have no stream or schedule")
        if streaming and self.constrained:
            raise OptionError("a text with a constraint cannot be streamed: its words are known once it is finished")
        check_prompt(prompt)
        sample = check_count("sample", sample, least=0)
        if ids is None:
            encoding = self.tokenizer.encode_prompt(prompt, self._labels)
        elif self._labels:
            raise OptionError("labels are tokens before a prompt: with ids, give them among the ids")
        else:
            encoding = encoding_of_ids(self.tokenizer, ids)
            prompt = self.tokenizer.decode(encoding.ids, self.settings.casing)
        return self._request(prompt, encoding, sample, streaming=streaming)

    def again(self, request: Request, *, streaming: bool = False) -> Request:
        """Return a new request for the text of ``request``, of which no token has been generated."""
        return self._request(request.prompt, request.encoding, request.sample, streaming=streaming)

    def text(self, request: Request) -> str:
        """Return the prompt of ``request`` and its continuation as one text."""
        if self._constrained is not None:
            [finished] = self._constrained.results(iter([request]), 1)
            return self.result(finished).text
        batch = self.batch()
        batch.admit([request.row])
        while len(batch):
            batch.advance()
        return self._text_stream(request).whole(request.row.new_ids)

    def pieces(self, request: Request) -> Iterator[str]:
        """Yield the continuation of a streaming ``request`` piece by piece."""
        batch, row = self.batch(), request.row
        batch.admit([row])
        while len(batch):
            row.new_text = ""
            batch.advance()
            if row.new_text:
                yield row.new_text
        if row.text_stream is not None and (held := row.text_stream.finish()):
            yield held

    def results(self, prompts: Iterable[str], n: int, batch_size: int) -> Iterator[Result]:
        """Yield ``n`` results for each prompt, in the order of the prompts, through a batch of bounded size.

        A list is prefetched: its prompts are taken up to half a batch ahead. Any other iterator is read only as its
        results are asked for, since it may itself wait for them. Raises OptionError for arguments that are not
        accepted, before the first result is asked for.
        """
        check_texts("prompts", prompts)
        if self.settings.search is not None:
            from genrun.generating.searched_texts import SearchedTexts
            from genrun.generating.searching.methods import check_texts_of_search

            n = check_texts_of_search(self.settings.search, n)
            searched = SearchedTexts(
                self._session, self._decoder, self._defaults, self.settings, self.settings.search
            )
            firsts = self._requests(prompts, 1)
            return map(self.result, searched.results(firsts, n, again=self._request, stream=self._text_stream))
        n, batch_size = check_count("n", n), check_count("batch_size", batch_size)
        if self._constrained is not None:
            return map(self.result, self._constrained.results(self._requests(prompts, n), batch_size))
        return self._results(prompts, n, batch_size)

    def _results(self, prompts: Iterable[str], n: int, batch_size: int) -> Iterator[Result]:
        queue = RequestQueue(self._requests(prompts, n), _BATCHES_AHEAD * batch_size)
        is_list, batches = isinstance(prompts, Sized), self._batches(batch_size)
        for _ in generate_rows(batches, queue.take, self._threads, prefetch=is_list, round_robin=is_list):
            for request in queue.finished():
                yield self.result(request)
        if queue.refused is not None:
            raise queue.refused

    def _requests(self, prompts: Iterable[str], n: int) -> Iterator[Request]:
        for prompt in prompts:
            check_prompt(prompt)
            encoding = self.tokenizer.encode_prompt(prompt, self._labels)
            for sample in range(n):
                yield self._request(prompt, encoding, sample)

    def _request(self, prompt: str, encoding: Encoding, sample: int, *, streaming: bool = False) -> Request:
        draws = Draws(self.settings.seed, sample, encoding.ids)
        finished, open_ids = self.tokenizer.open_end(encoding)
        row = Row(finished, draws, self.settings.max_new_tokens)
        row.from_nothing = encoding.ids[len(self.tokenizer.labels) :] == (self.tokenizer.special("start"),)
        if open_ids:
            row.open_prompt = OpenPrompt(self.tokenizer, open_ids)
        request = Request(prompt, encoding, sample, row)
        if streaming or self.settings.stops:
            row.text_stream = self._text_stream(request)
        return request

    def _batches(self, batch_size: int) -> list[Batch]:
        """Return the batches that ``batch_size`` rows are best divided into."""
        sizes = self._threads.divided(batch_size)
        return [self.batch(size, of=len(sizes), log_probabilities=True) for size in sizes]

    def batch(self, size: int = 1, *, of: int = 1, log_probabilities: bool = False) -> Batch:
        """Return an empty batch for ``size`` rows, one of ``of`` that run side by side."""
        return Batch(
            self._session.running_at_once(of),
            self._decoder,
            size=size,
            stop_ids=self._defaults.stop_ids,
            suppressed_ids=self._defaults.suppressed_ids,
            log_probabilities=log_probabilities,
            choose_with=self._choose_with,
        )

    def _text_stream(self, request: Request) -> TextStream:
        casing, stops, opened = self.settings.casing, self.settings.stops, request.row.open_prompt
        repeated = 0 if opened is None else opened.letters
        return TextStream.after(
            self.tokenizer, request.prompt, request.encoding, casing=casing, stops=stops, repeated=repeated
        )

    def result(self, request: Request) -> Result:
        """Return the result of a finished request."""
        text = self._text_stream(request)
        continuation = text.extend(request.row.new_ids)
        whole, runs, ids = text.prompt_text + continuation, self._training_runs, tuple(request.row.new_ids)
        result = Result(
            prompt=request.prompt,
            text=whole,
            continuation=continuation,
            ids=ids,
            finish_reason=request.row.finish_reason,
            log_probability=request.row.log_probability,
            unknown=request.encoding.unknown,
            seed=self.settings.seed,
            sample=request.sample,
            probability=request.row.probability,
            effective_particles=request.row.effective_particles,
            tokens_per_second=len(ids) / max(request.row.finished - request.row.admitted, 1e-9),
        )
        if runs is None:
            return result
        return result.with_copies_found_by(functools.partial(runs.copied, request.encoding, ids, whole))
