"""Generating from an event loop: the steps run in a worker thread, and end when nobody waits for them any more.

Each piece of a stream is fetched on its own, by a thread of the loop's default executor. So a consumer that is slow
holds no thread, nothing is generated that is not asked for, and there is no queue to bound. Texts are those of the
synchronous forms, which do the work.
"""

from __future__ import annotations

import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from genrun.generating.generator import BATCH_SIZE
from genrun.generating.settings import GenerationSettings
from genrun.results import Result, warn_unknown

if TYPE_CHECKING:
    from genrun.model import Model

__all__ = ["AsyncModel"]

T = TypeVar("T")


class AsyncModel(ABC):
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

    async def agenerate(self, prompt: str = "", *, settings: GenerationSettings | None = None, **choices: Any) -> str:
        """Return the text of :meth:`Model.generate` without blocking the event loop meanwhile.

        Raises what that raises, and warns (UnknownWordsWarning) as it does.
        """
        with _stopped_at_the_end() as stop:
            generation, job = await _in_thread(self._stoppable(stop)._begin, prompt, settings, choices)
            warn_unknown(job.encoding.unknown)
            return await _in_thread(generation.text, job)

    async def agenerate_many(
        self,
        prompts: Iterable[str],
        *,
        n: int = 1,
        batch_size: int = BATCH_SIZE,
        settings: GenerationSettings | None = None,
        **choices: Any,
    ) -> list[Result]:
        """Return the results of :meth:`Model.generate_many` without blocking the event loop meanwhile.

        ``prompts`` are taken in the worker thread, so an iterator that waits there does no harm to the loop.
        """
        with _stopped_at_the_end() as stop:
            generate = self._stoppable(stop).generate_many
            return await _in_thread(generate, prompts, n=n, batch_size=batch_size, settings=settings, **choices)

    async def astream(
        self, prompt: str = "", *, settings: GenerationSettings | None = None, **choices: Any
    ) -> AsyncGenerator[str, None]:
        """Yield the pieces of :meth:`Model.stream` without blocking the event loop meanwhile.

        Nothing is checked, and no step made, before the first piece is asked for. An iteration that is left before
        its end leaves nothing behind: no thread, and no step that goes on.
        """
        with _stopped_at_the_end() as stop:
            model = self._stoppable(stop)
            generation, job = await _in_thread(model._begin, prompt, settings, choices, watch=True)
            warn_unknown(job.encoding.unknown)
            pieces = generation.pieces(job)
            while (piece := await _in_thread(next, pieces, None)) is not None:
                yield piece

    @abstractmethod
    def _stoppable(self, stop: threading.Event) -> Model:
        """Return the same model, whose steps raise Stopped once ``stop`` is set."""


async def _in_thread(work: Callable[..., T], *arguments: Any, **named: Any) -> T:
    import asyncio  # its 27 ms are for programs that have a loop anyway

    return await asyncio.to_thread(work, *arguments, **named)


@contextlib.contextmanager
def _stopped_at_the_end() -> Iterator[threading.Event]:
    """Set an event at the end, however it comes: cancelled, closed, failed, or done."""
    stop = threading.Event()
    try:
        yield stop
    finally:
        stop.set()
