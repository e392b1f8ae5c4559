"""The calls of a model whose texts share steps with those of other calls, from whatever thread or event loop."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from genrun.errors import OptionError
from genrun.generating.generator import TextGenerator
from genrun.generating.settings import Choices, GenerationSettings
from genrun.results import warn_unknown

if TYPE_CHECKING:
    from genrun.generating.sharing.scheduled_text import AsyncScheduledText, ScheduledText
    from genrun.generating.sharing.scheduler import Scheduler

__all__ = ["ScheduledForms"]

_SHORT = 4096  # characters or ids of a prompt that is read on the thread of an event loop


class ScheduledForms(ABC):
    """Texts that are asked for one by one, and generated in batches.

    >>> texts = [model.schedule(prompt, max_new_tokens=2) for prompt in ("the council", "today in")]
    >>> [text.result().text for text in texts]
    ['the council votes again', 'today in new york']
    """

    def __init__(self, lanes: int) -> None:
        self._lanes = lanes
        self._schedulers: dict[str, Scheduler] = {}  # one, once a text is asked for
        self._used_decoders: set[str | None] = set()  # names; the first use of one may import a plugin

    @property
    def unfinished(self) -> int:
        """How many texts of ``schedule``, ``aschedule`` and ``agenerate`` are not finished."""
        return sum(map(len, list(self._schedulers.values())))

    @property
    def _scheduler(self) -> Scheduler:
        if not self._schedulers:
            from genrun.generating.sharing.scheduler import Scheduler

            self._schedulers.setdefault("own", Scheduler(self._lanes))  # where two threads make one, the first counts
        return self._schedulers["own"]

    def schedule(
        self,
        prompt: str = "",
        *,
        ids: Sequence[int] | None = None,
        sample: int = 0,
        stream: bool = False,
        settings: GenerationSettings | None = None,
        **choices: Unpack[Choices],
    ) -> ScheduledText:
        """Begin to generate a text together with all others that are scheduled; return at once.

        ``ids``: the tokens of the prompt, all that the model is given, instead of a text. ``sample``: the number of
        the sample, from 0; 0 is the text of :meth:`Model.generate`. ``stream``: pieces are wanted. The
        ``choices`` are the parameters of :meth:`Model.settings`. They and the prompt are checked here, and raise and
        warn as for :meth:`Model.generate`.
        """
        from genrun.generating.sharing.scheduled_text import ScheduledText

        generator = _shareable(self._generator(settings, choices))
        request = generator.begin(prompt, sample=sample, streaming=stream, ids=ids)
        warn_unknown(request.encoding.unknown)
        return ScheduledText(self._scheduler, generator, request, stream=stream)

    async def aschedule(
        self,
        prompt: str = "",
        *,
        ids: Sequence[int] | None = None,
        sample: int = 0,
        stream: bool = False,
        warn: bool = True,
        settings: GenerationSettings | None = None,
        **choices: Unpack[Choices],
    ) -> AsyncScheduledText:
        """Do what :meth:`schedule` does, for the running event loop.

        Only checking the arguments and reading the prompt is awaited. ``warn``: whether unknown words of the prompt
        are warned of; the result names them in any case.
        """
        text, unknown = await self._scheduled(prompt, settings, choices, ids=ids, sample=sample, stream=stream)
        if warn:
            warn_unknown(unknown)
        return text

    async def _scheduled(
        self,
        prompt: str,
        settings: GenerationSettings | None,
        choices: Choices,
        *,
        ids: Sequence[int] | None = None,
        sample: int = 0,
        stream: bool = False,
    ) -> tuple[AsyncScheduledText, tuple[str, ...]]:
        """Return the scheduled text, and the words of its prompt that are not in the vocabulary.

        What may take long is done on another thread: the first use of a decoder, and reading a long prompt.
        """
        import asyncio

        from genrun.generating.sharing.scheduled_text import AsyncScheduledText

        decoder = choices.get("decoder")
        if settings is None and (decoder is None or isinstance(decoder, str)) and decoder not in self._used_decoders:
            generator = await asyncio.to_thread(self._generator, settings, choices)
            self._used_decoders.add(decoder)
        else:
            generator = self._generator(settings, choices)
        _shareable(generator)
        if (isinstance(prompt, str) and len(prompt) > _SHORT) or (ids is not None and len(ids) > _SHORT):
            request = await asyncio.to_thread(generator.begin, prompt, sample=sample, streaming=stream, ids=ids)
        else:
            request = generator.begin(prompt, sample=sample, streaming=stream, ids=ids)
        return AsyncScheduledText(self._scheduler, generator, request, stream=stream), request.encoding.unknown

    @abstractmethod
    def _generator(
        self, settings: GenerationSettings | None, choices: Choices, stop: threading.Event | None = None
    ) -> TextGenerator:
        """Return what generates with these settings, and ends with Stopped once ``stop`` is set."""


def _shareable(generator: TextGenerator) -> TextGenerator:
    """Return ``generator``; raises OptionError if its texts cannot share steps with others."""
    if generator.constrained:
        raise OptionError("texts with a constraint are not scheduled: use generate_many, or agenerate_many")
    return generator
