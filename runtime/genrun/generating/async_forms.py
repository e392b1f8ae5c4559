"""Generating from an event loop: the steps run in other threads, and end when the waiting task ends.

Single texts share the steps of the model's scheduler. A thread of the loop's default executor fetches each piece of a
stream. So a slow consumer holds no thread, nothing is generated before it is asked for, and there is no queue to
bound. The texts are those of the synchronous forms.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from typing import Any, TypeVar, Unpack

from genrun.generating.generator import BATCH_SIZE
from genrun.generating.scheduled_forms import ScheduledForms
from genrun.generating.settings import Choices, GenerationSettings
from genrun.results import Result, warn_unknown

__all__ = ["AsyncForms"]

T = TypeVar("T")


class AsyncForms(ScheduledForms):
    """The asynchronous forms of a model's calls, each the name of the synchronous one with an ``a`` before it.

    Cancelling the task that waits for one of them ends its work: the step that is being computed is the last.

    >>> import asyncio
    >>> async def main():
    ...     print(await model.agenerate("the council", max_new_tokens=2))
    ...     async for piece in model.astream("the council", max_new_tokens=2):
    ...         print(piece, end="|")
    >>> asyncio.run(main())
    the council votes again
     votes| again|
    """

    async def agenerate(
        self, prompt: str = "", *, settings: GenerationSettings | None = None, **choices: Unpack[Choices]
    ) -> str:
        """Return the text of :meth:`Model.generate` without blocking the event loop meanwhile.

        Calls that meet share steps: many at once take little longer than one :meth:`agenerate_many`. Raises what
        :meth:`Model.generate` raises, and warns (UnknownWordsWarning) as it does.
        """
        text, unknown = await self._scheduled(prompt, settings, choices)
        try:
            warn_unknown(unknown)
            return (await text.result()).text
        finally:
            text.cancel()

    async def agenerate_many(
        self,
        prompts: Iterable[str],
        *,
        n: int = 1,
        batch_size: int = BATCH_SIZE,
        settings: GenerationSettings | None = None,
        **choices: Unpack[Choices],
    ) -> list[Result]:
        """Return the results of :meth:`Model.generate_many` without blocking the event loop meanwhile.

        ``prompts`` are taken in the worker thread, so an iterator that waits there does no harm to the loop.
        """
        with _stopped_at_the_end() as stop:
            generator = await _in_thread(self._generator, settings, choices, stop)
            return await _in_thread(lambda: list(generator.results(prompts, n, batch_size)))

    async def astream(
        self, prompt: str = "", *, settings: GenerationSettings | None = None, **choices: Unpack[Choices]
    ) -> AsyncGenerator[str, None]:
        """Yield the pieces of :meth:`Model.stream` without blocking the event loop meanwhile.

        Nothing is checked, and no step made, before the first piece is asked for. An iteration that is left before
        its end leaves nothing behind: no thread, and no step that goes on.
        """
        with _stopped_at_the_end() as stop:
            generator = await _in_thread(self._generator, settings, choices, stop)
            request = await _in_thread(generator.begin, prompt, streaming=True)
            warn_unknown(request.encoding.unknown)
            pieces = generator.pieces(request)
            while (piece := await _in_thread(next, pieces, None)) is not None:
                yield piece


async def _in_thread(work: Callable[..., T], *arguments: Any, **named: Any) -> T:
    import asyncio  # its 27 ms are for programs that have a loop anyway

    return await asyncio.to_thread(work, *arguments, **named)


@contextlib.contextmanager
def _stopped_at_the_end() -> Iterator[threading.Event]:
    """Set an event at the end of the block, also after an error or a cancellation."""
    stop = threading.Event()
    try:
        yield stop
    finally:
        stop.set()
