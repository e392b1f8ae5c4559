"""A loaded model: what programs that embed genrun work with."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, Self, Unpack

from genrun.checks.arguments import check_count, check_prompt
from genrun.checks.short_text import shown
from genrun.errors import ModelFileError, OptionError
from genrun.generating.async_forms import AsyncForms
from genrun.generating.configurable_model import ConfigurableModel
from genrun.generating.generator import BATCH_SIZE, TextGenerator
from genrun.generating.settings import Choices, GenerationSettings
from genrun.generating.stepping.mixing import MixableModel, Mixing
from genrun.generating.stepping.open_model import OpenModel
from genrun.generating.stepping.session import StepSession
from genrun.generating.text_stream import TextStream
from genrun.generating.threads import BatchThreads
from genrun.loading.device import DeviceWarning
from genrun.loading.metadata import Metadata
from genrun.loading.opening import opened
from genrun.results import Result, warn_unknown
from genrun.scoring.scoring_model import ScoringModel
from genrun.suggesting.suggesting_model import SuggestingModel
from genrun.tokenizer.detokenizer import check_casing

if TYPE_CHECKING:
    from genrun.generating.explaining import Explanation

__all__ = ["BATCH_SIZE", "Model", "load"]


def load(
    path: str | os.PathLike[str] | bytes | BinaryIO,
    *,
    device: str | Sequence[str] = "auto",
    threads: int | None = None,
    trust: str = "nothing",
) -> Model:
    """Open the model file at ``path``, or one that is in memory: bytes, or a binary file object.

    ``device``: ``auto`` (a GPU if one works, else the CPU), ``cpu``, ``cuda``, or the execution providers of
    onnxruntime that are to be used, the preferred one first, as a list or separated by commas. What is named is
    used, or it is a DeviceError with the reason; ``auto`` warns (DeviceWarning) where it uses the CPU although
    onnxruntime for GPUs is installed. ``threads``: CPU threads, 1 to 1,024; None means all cores. A small model
    file (below 16 MiB) uses them for the parts of a batch, and for a single step only where a number is given; a
    large one uses them for each step. ``trust``: ``graph`` opens a file whose graph genrun would refuse, or that was
    changed after its export; onnxruntime may then crash or use any amount of memory and time.
    Raises ModelFileError for a file that is not a genrun model, OptionError for arguments that are not accepted,
    MissingExtraError without onnxruntime.

    >>> model = load("headlines.onnx", device="cpu")
    >>> model.generate("today in new york", max_new_tokens=3, seed=7)
    'today in new york the council votes'
    """
    file = opened(path)
    metadata = Metadata.from_properties(file.properties, path=str(file.path))
    session = StepSession(file, device=device, threads=threads, trust=trust)
    if session.fell_back:
        message = f"the model runs on the CPU although onnxruntime-gpu is installed: {session.device_reason}"
        warnings.warn(f"{message}; genrun doctor says what to do", DeviceWarning, stacklevel=2)
    session.bind(len(metadata.tokenizer))
    again = None if file.given is not None else Reopening(file.path.absolute(), device, threads, trust)
    return Model(session, metadata, again)


class Reopening(NamedTuple):
    """The arguments of :func:`load` that open a model again."""

    path: Path
    device: str | Sequence[str]
    threads: int | None
    trust: str

    def opened(self) -> Model:
        return load(self.path, device=self.device, threads=self.threads, trust=self.trust)


def _load_again(how: Reopening | Mixing, digest: str) -> OpenModel:
    """Load a pickled model; raises ModelFileError if the file has changed meanwhile."""
    model = how.opened()
    if model.digest != digest:
        raise ModelFileError(
            f"{model.path} is not the file that the pickled model was loaded from: its digest differs"
        )
    return model


class Model(SuggestingModel, ScoringModel, ConfigurableModel, MixableModel, AsyncForms):
    """A language model that generates text. Immutable, and safe to share between threads.

    Made by :func:`load`. ``device`` is the one in use and ``device_reason`` why it was chosen. For programs that run
    an event loop there are ``agenerate``, ``agenerate_many`` and ``astream``. A pickled model is its path, device,
    threads and trust: the file is loaded where it is unpickled, and must be the same one. A model that was loaded
    from bytes cannot be pickled.
    """

    def __init__(self, session: StepSession, metadata: Metadata, reopening: Reopening | Mixing | None = None) -> None:
        SuggestingModel.__init__(self, session, metadata)
        self._threads = BatchThreads(session.parallel_steps)
        AsyncForms.__init__(self, self._threads.count)
        self._reopening = reopening

    def __reduce__(self) -> tuple[object, ...]:
        if self._reopening is None:
            raise OptionError(f"{self.path}: a model loaded from bytes cannot be pickled; load it from a path")
        return _load_again, (self._reopening, self.digest)

    def generate(
        self, prompt: str = "", *, settings: GenerationSettings | None = None, **choices: Unpack[Choices]
    ) -> str:
        """Return ``prompt`` and its continuation as one text.

        The ``choices`` are the parameters of :meth:`settings`: max_new_tokens, decoder and its options, seed, stop,
        casing, labels, constraint and particles, max_copied, and beam, distinct and spread, which find one text here.
        Warns (UnknownWordsWarning) of prompt words that are not in the vocabulary.
        """
        generator = self._generator(settings, choices)
        if generator.settings.search is not None:
            [result] = generator.results([prompt], 1, BATCH_SIZE)
            warn_unknown(result.unknown)
            return result.text
        request = generator.begin(prompt)
        warn_unknown(request.encoding.unknown)
        return generator.text(request)

    def generate_many(
        self,
        prompts: Iterable[str],
        *,
        n: int = 1,
        batch_size: int = BATCH_SIZE,
        settings: GenerationSettings | None = None,
        **choices: Unpack[Choices],
    ) -> list[Result]:
        """Return ``n`` results for each prompt, in the order of the prompts.

        A text depends on the seed, its prompt and the number of its sample, not on its neighbours: the first sample
        of a prompt is what :meth:`generate` returns for it. With ``beam`` and ``distinct`` there are fewer than ``n``
        where a prompt has no more texts. The ``choices`` are the parameters of :meth:`settings`.
        """
        return list(self.generate_each(prompts, n=n, batch_size=batch_size, settings=settings, **choices))

    def generate_each(
        self,
        prompts: Iterable[str],
        *,
        n: int = 1,
        batch_size: int = BATCH_SIZE,
        settings: GenerationSettings | None = None,
        **choices: Unpack[Choices],
    ) -> Iterator[Result]:
        """Yield the results of :meth:`generate_many` one by one, taking prompts only as fast as they are used.

        Any number of prompts needs the memory of about one batch.
        """
        return self._generator(settings, choices).results(prompts, n, batch_size)

    def stream(
        self, prompt: str = "", *, settings: GenerationSettings | None = None, **choices: Unpack[Choices]
    ) -> Iterator[str]:
        """Yield the continuation piece by piece; the pieces join to exactly the continuation of :meth:`generate`.

        The ``choices`` are the parameters of :meth:`settings`, checked before the first piece.
        """
        generator = self._generator(settings, choices)
        request = generator.begin(prompt, streaming=True)
        warn_unknown(request.encoding.unknown)
        return generator.pieces(request)

    def explain(
        self,
        prompt: str = "",
        *,
        sample: int = 0,
        most: int = 10,
        settings: GenerationSettings | None = None,
        **choices: Unpack[Choices],
    ) -> Explanation:
        """Return how one text came about: of each word the ``most`` candidates, and what each stage did to them.

        The text is that of :meth:`generate` for sample 0. The ``choices`` are the parameters of :meth:`settings`.
        """
        from genrun.generating.explaining import explained

        return explained(self._generator(settings, choices), prompt, sample, check_count("most", most))

    def prompt_text(self, prompt: str, *, casing: str | None = None) -> str:
        """Return ``prompt`` as it stands at the head of the generated text.

        With the casings ``none`` and ``corpus``, as it was typed, without white space at its end that is no token;
        otherwise, and with subwords, normalized, joined and cased.
        """
        check_prompt(prompt)
        casing = self.defaults.casing if casing is None else check_casing(casing)
        encoding = self.tokenizer.encode_prompt(prompt)
        return TextStream.after(self.tokenizer, prompt, encoding, casing=casing).prompt_text

    def _like(self, session: StepSession, metadata: Metadata, mixing: Mixing) -> Self:
        return type(self)(session, metadata, mixing)

    def _generator(
        self, settings: GenerationSettings | None, choices: Choices, stop: threading.Event | None = None
    ) -> TextGenerator:
        if settings is None:
            settings = self.settings(**choices)
        elif not isinstance(settings, GenerationSettings):
            raise OptionError(f"settings must be what Model.settings returns, not {shown(settings)}")
        elif choices:
            raise OptionError(f"give either settings or {', '.join(sorted(choices))}, not both")
        return TextGenerator(self._session.stoppable(stop), self._metadata, settings, self._threads)
