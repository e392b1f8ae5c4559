"""A loaded model: what programs that embed genrun work with."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from genrun.batch import Batch, Row, generate_rows
from genrun.contracts import Decoder
from genrun.draws import Draws
from genrun.errors import OptionError
from genrun.model_file import GenerationDefaults, Metadata, Verification
from genrun.results import Result, UnknownWordsWarning, list_words
from genrun.scoring import Score, token_log_probabilities
from genrun.session import StepSession
from genrun.settings import GenerationSettings, check_count, resolve_settings
from genrun.suggesting import Suggester, Suggestion
from genrun.text_stream import TextStream
from genrun.tokenizer import Encoding, Tokenizer
from genrun.typing_session import KEPT_STATES, TypingSession

__all__ = ["BATCH_SIZE", "Model", "load"]

BATCH_SIZE = 64
_AHEAD = 16  # batches of finished results that may wait for an earlier one


def load(path: str | os.PathLike[str], *, device: str = "auto", threads: int | None = None) -> Model:
    """Open a model file.

    ``device``: ``auto`` (a GPU if one works, else the CPU), ``cpu``, ``cuda`` (or DeviceError with the reason).
    ``threads``: CPU threads for one step; None means one for a small model file (below 16 MiB), all cores for a
    large one. Raises ModelFileError for a file that is not a genrun model.

    >>> model = load("headlines.onnx")                                            # doctest: +SKIP
    >>> model.generate("today in new york", max_new_tokens=8, seed=7)             # doctest: +SKIP
    'Today in New York City, a Mayor Vote on the Budget'
    """
    session = StepSession(Path(path), device=device, threads=threads)
    metadata = Metadata.from_properties(session.properties, path=str(path))
    session.bind(len(metadata.tokenizer))
    return Model(session, metadata)


@dataclass(slots=True, eq=False)
class _Job:
    """A prompt on its way: one row and what its result needs."""

    prompt: str
    encoding: Encoding
    sample: int
    row: Row


class Model:
    """A language model that generates text. Immutable, and safe to share between threads.

    Made by :func:`load`. ``device`` is the one in use and ``device_reason`` why it was chosen.
    """

    def __init__(self, session: StepSession, metadata: Metadata) -> None:
        self._session = session
        self._metadata = metadata

    @property
    def path(self) -> Path:
        """The file that the model was loaded from."""
        return self._session.path

    @property
    def device(self) -> str:
        """The device that is really used: ``cpu`` or ``cuda``."""
        return self._session.device

    @property
    def device_reason(self) -> str:
        """Why that device was chosen, in a few words."""
        return self._session.device_reason

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer."""
        return self._metadata.tokenizer

    @property
    def defaults(self) -> GenerationDefaults:
        """How the model generates unless told otherwise."""
        return self._metadata.generation

    @property
    def card(self) -> Mapping[str, Any]:
        """What the model file says of its making: architecture, corpus, metrics, versions, licence, date."""
        return self._metadata.card

    @property
    def verification(self) -> Verification:
        """What the export measured, and the golden texts that ``genrun verify`` replays."""
        return self._metadata.verification

    def settings(
        self,
        *,
        max_new_tokens: int | None = None,
        decoder: str | Decoder | None = None,
        seed: int | None = None,
        stop: str | Sequence[str] = (),
        casing: str | None = None,
        **options: object,
    ) -> GenerationSettings:
        """Return checked settings for :meth:`generate` and the others; what is None is taken from the model.

        ``decoder``: a name or a decoder object, with its ``options`` (``k=40``, ``temperature=0.8``). ``seed``: None
        draws a fresh one. ``stop``: one or more texts that end the continuation. ``casing``: none, corpus, title,
        sentence or upper. Raises OptionError, UnknownPluginError or PluginError.
        """
        return resolve_settings(
            self.defaults,
            decoder=decoder,
            options=options,
            max_new_tokens=max_new_tokens,
            seed=seed,
            stop=stop,
            casing=casing,
        )

    def generate(self, prompt: str = "", *, settings: GenerationSettings | None = None, **choices: Any) -> str:
        """Return ``prompt`` and its continuation as one text.

        The ``choices`` are the parameters of :meth:`settings`: max_new_tokens, decoder and its options, seed, stop,
        casing. Warns (UnknownWordsWarning) of prompt words that are not in the vocabulary.
        """
        settings = self._chosen(settings, choices)
        job = next(self._jobs([prompt], 1, settings))
        _warn_unknown(job.encoding.unknown)
        batch = self._batch(settings)
        batch.admit([job.row])
        while len(batch):
            batch.advance()
        return self._result(job, settings).text

    def generate_many(
        self,
        prompts: Iterable[str],
        *,
        n: int = 1,
        batch_size: int = BATCH_SIZE,
        settings: GenerationSettings | None = None,
        **choices: Any,
    ) -> list[Result]:
        """Return ``n`` results for each prompt, in the order of the prompts.

        A text depends on the seed, its prompt and the number of its sample, not on its neighbours: the first sample
        of a prompt is what :meth:`generate` returns for it. The ``choices`` are the parameters of :meth:`settings`.
        """
        return list(self.generate_each(prompts, n=n, batch_size=batch_size, settings=settings, **choices))

    def generate_each(
        self,
        prompts: Iterable[str],
        *,
        n: int = 1,
        batch_size: int = BATCH_SIZE,
        settings: GenerationSettings | None = None,
        **choices: Any,
    ) -> Iterator[Result]:
        """Yield the results of :meth:`generate_many` one by one, taking prompts only as fast as they are used.

        Any number of prompts needs the memory of about one batch.
        """
        if isinstance(prompts, str):
            raise OptionError("prompts must be a list of texts, not one text")
        check_count("n", n)
        check_count("batch_size", batch_size)
        return self._results(prompts, n, batch_size, self._chosen(settings, choices))

    def stream(
        self, prompt: str = "", *, settings: GenerationSettings | None = None, **choices: Any
    ) -> Iterator[str]:
        """Yield the continuation piece by piece; the pieces join to exactly the continuation of :meth:`generate`.

        The ``choices`` are the parameters of :meth:`settings`, checked before the first piece.
        """
        settings = self._chosen(settings, choices)
        job = next(self._jobs([prompt], 1, settings, watch=True))
        _warn_unknown(job.encoding.unknown)
        return self._stream(job.row, settings)

    def suggest(self, text: str, n: int = 5, *, end: bool = False, casing: str | None = None) -> list[Suggestion]:
        """Return the ``n`` likeliest words to follow ``text``, or to complete the word that it breaks off in.

        The likeliest comes first. After white space, or punctuation that the tokenizer parts from words, these are
        next words, with the probabilities that the model gives them; ``end`` offers the end of the text as well.
        Otherwise they are the words of the vocabulary that begin with the last one of ``text``, itself included, and
        their probabilities are 1 together. Fewer than ``n`` where there are no more. Warns (UnknownWordsWarning) of
        finished words that are not in the vocabulary; raises OptionError where there is nothing to go on from.

        >>> model.suggest("today in n", n=1)                                      # doctest: +SKIP
        [Suggestion(text='New', probability=0.63, id=24, completes='n')]
        """
        typing = self.typing(casing=casing, keep=1)
        suggestions = typing.suggest(text, n, end=end)
        _warn_unknown(typing.unknown)
        return suggestions

    def typing(self, *, casing: str | None = None, keep: int = KEPT_STATES) -> TypingSession:
        """Return a session that suggests as :meth:`suggest` does while a text is typed, at a step or so a keystroke.

        ``keep``: of how many tokens it keeps the states. A session is for one thread; the model may have many.
        """
        check_count("keep", keep)
        return TypingSession(self._session, self._suggester, casing=casing, keep=keep)

    @cached_property
    def _suggester(self) -> Suggester:
        return Suggester(self.tokenizer, self.defaults)

    def score(self, text: str) -> Score:
        """Return how likely ``text`` is as a whole document: log-probability, perplexity, and each token's share."""
        return next(self.score_each([text]))

    def score_each(self, texts: Iterable[str], *, batch_size: int = BATCH_SIZE) -> Iterator[Score]:
        """Yield the score of every text, in order, taking texts only as fast as they are used."""
        if isinstance(texts, str):
            raise OptionError("texts must be a list of texts, not one text")
        check_count("batch_size", batch_size)
        return self._scores(texts, batch_size)

    def _scores(self, texts: Iterable[str], batch_size: int) -> Iterator[Score]:
        waiting = iter(texts)
        refused: Exception | None = None
        while refused is None:
            group: list[str] = []
            try:
                for text in islice(waiting, batch_size):
                    if not isinstance(text, str):
                        raise OptionError(f"what is scored must be text, not {text!r}")
                    group.append(text)
            except Exception as error:  # a bad text must not take those before it along
                refused = error
            if not group:
                break
            encodings = [self.tokenizer.encode_document(text) for text in group]
            scored = token_log_probabilities(self._session, [encoding.ids for encoding in encodings])
            for text, encoding, logs in zip(group, encodings, scored, strict=True):
                yield Score(text, tuple(logs.tolist()), encoding.unknown)
        if refused is not None:
            raise refused

    def prompt_text(self, prompt: str, *, casing: str | None = None) -> str:
        """Return ``prompt`` as it stands at the head of the generated text: normalized, joined, cased."""
        casing = self.defaults.casing if casing is None else casing
        encoding = self.tokenizer.encode_prompt(prompt)
        return self.tokenizer.detokenizer(casing).join(self.tokenizer.prompt_pieces(encoding, casing))

    def _chosen(self, settings: GenerationSettings | None, choices: Mapping[str, Any]) -> GenerationSettings:
        if settings is None:
            return self.settings(**choices)
        if choices:
            raise OptionError(f"give either settings or {', '.join(sorted(choices))}, not both")
        return settings

    def _batch(self, settings: GenerationSettings, *, log_probabilities: bool = False) -> Batch:
        return Batch(
            self._session,
            settings.decoder,
            stop_ids=self.defaults.stop_ids,
            suppressed_ids=self.defaults.suppressed_ids,
            log_probabilities=log_probabilities,
        )

    def _jobs(
        self, prompts: Iterable[str], n: int, settings: GenerationSettings, *, watch: bool = False
    ) -> Iterator[_Job]:
        for prompt in prompts:
            if not isinstance(prompt, str):
                raise OptionError(f"a prompt must be text, not {prompt!r}")
            encoding = self.tokenizer.encode_prompt(prompt)
            for sample in range(n):
                draws = Draws(settings.seed, sample, encoding.ids)
                watcher = self._text_stream(encoding, settings) if watch or settings.stops else None
                yield _Job(prompt, encoding, sample, Row(encoding.ids, draws, settings.max_new_tokens, watcher))

    def _text_stream(self, encoding: Encoding, settings: GenerationSettings) -> TextStream:
        pieces = self.tokenizer.prompt_pieces(encoding, settings.casing)
        return TextStream(self.tokenizer, pieces, casing=settings.casing, stops=settings.stops)

    def _results(
        self, prompts: Iterable[str], n: int, batch_size: int, settings: GenerationSettings
    ) -> Iterator[Result]:
        """Yield results in the order of the prompts, through a batch of bounded size."""
        waiting: dict[Row, _Job] = {}  # in the order of the prompts

        refused: list[Exception] = []

        jobs = self._jobs(prompts, n, settings)

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

        batch = self._batch(settings, log_probabilities=True)
        for _ in generate_rows(batch, take, batch_size=batch_size):
            while waiting and (first := next(iter(waiting))).finish_reason:
                yield self._result(waiting.pop(first), settings)
        for error in refused:
            raise error

    def _result(self, job: _Job, settings: GenerationSettings) -> Result:
        text = self._text_stream(job.encoding, settings)
        continuation = "".join([text.push(token) for token in job.row.new_ids]) + text.finish()
        return Result(
            prompt=job.prompt,
            text=text.prompt_text + continuation,
            continuation=continuation,
            ids=tuple(job.row.new_ids),
            finish_reason=job.row.finish_reason,
            log_probability=job.row.log_probability,
            unknown=job.encoding.unknown,
            seed=settings.seed,
            sample=job.sample,
        )

    def _stream(self, row: Row, settings: GenerationSettings) -> Iterator[str]:
        batch = self._batch(settings)
        batch.admit([row])
        while len(batch):
            row.new_text = ""
            batch.advance()
            if row.new_text:
                yield row.new_text
        if row.watch is not None and (held := row.watch.finish()):
            yield held


def _warn_unknown(words: Sequence[str]) -> None:
    if words:
        warnings.warn(f"not in the model's vocabulary: {list_words(words)}", UnknownWordsWarning, stacklevel=3)
