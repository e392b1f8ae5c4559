"""The texts of a request: each waits for its turn, and is made by the model's scheduler together with all others."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeVar

from genrun.results import Result
from genrun.serving.asking.asked import Asked, Prompt
from genrun.serving.metrics import Metrics, ModelMetrics
from genrun.serving.places import Places
from genrun.serving.token_texts import TokenTexts

__all__ = ["Finished", "Piece", "Texts", "in_parallel"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text, in the order in which it is written; ``text`` may be empty."""

    index: int
    text: str
    lists: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Finished:
    """A text that is complete: ``text`` is what the answer has, ``lists`` its tokens that were not yet returned.

    ``result`` is None for a prompt that was only read.
    """

    index: int
    prompt: Prompt
    text: str
    lists: dict[str, Any] | None
    result: Result | None


class Texts:
    """Makes texts for the requests of one event loop."""

    def __init__(self, places: Places, metrics: Metrics) -> None:
        self._places, self._metrics = places, metrics
        self._calls = asyncio.Semaphore(os.cpu_count() or 1)  # of texts that are made by calls of their own

    async def all(self, asked: Asked) -> list[list[Finished]]:
        """Return the finished texts of each prompt, in order; fewer samples where a search finds no more.

        Leaving early, by cancellation or an error, gives all of them up.
        """
        if asked.together:
            return await in_parallel([self._together(asked, prompt) for prompt in asked.prompts])
        places = [(prompt, sample) for prompt in asked.prompts for sample in range(asked.samples)]
        made = await in_parallel([self._text(asked, i, *place) for i, place in enumerate(places)])
        return [made[i : i + asked.samples] for i in range(0, len(made), asked.samples)]

    async def each(self, asked: Asked) -> AsyncGenerator[Piece | Finished, None]:
        """Yield pieces as they are generated, and each text when it is finished; close the iterator to give up."""
        events: asyncio.Queue[Piece | Finished] = asyncio.Queue()
        places = [(prompt, sample) for prompt in asked.prompts for sample in range(asked.samples)]

        async def make() -> None:
            texts = [self._text(asked, i, *place, tell=events.put_nowait) for i, place in enumerate(places)]
            await in_parallel(texts)

        making = asyncio.create_task(make())
        try:
            for _ in places:
                event: Piece | Finished | None = None
                while not isinstance(event, Finished):
                    event = await _next(events, making)
                    yield event
            await making
        finally:
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)

    async def _text(
        self,
        asked: Asked,
        index: int,
        prompt: Prompt,
        sample: int,
        tell: Callable[[Piece | Finished], None] | None = None,
    ) -> Finished:
        """Make one text; ``tell`` is called with its pieces, and at its end."""
        watch = self._metrics.of(asked.served.name)
        begun = time.monotonic()
        tokens = TokenTexts(asked, prompt) if asked.likeliest is not None else None
        try:
            async with self._places.turn():
                watch.queued(time.monotonic() - begun)
                made = await self._written(asked, index, prompt, sample, tell, tokens, watch, begun)
        finally:
            if tokens is not None:
                tokens.stop()
        watch.finished(made.result, len(prompt.encoding.ids), time.monotonic() - begun)
        if tell is not None:
            tell(made)
        return made

    async def _written(
        self,
        asked: Asked,
        index: int,
        prompt: Prompt,
        sample: int,
        tell: Callable[[Piece | Finished], None] | None,
        tokens: TokenTexts | None,
        watch: ModelMetrics,
        begun: float,
    ) -> Finished:
        model, settings = asked.served.model, asked.settings
        head = model.prompt_text(prompt.text, casing=settings.casing) if asked.echo else ""
        if not asked.writes:
            if tokens is not None:
                await tokens.read(prompt.encoding.ids, ())
            return Finished(index, prompt, head, tokens.take(None) if tokens else None, None)
        text = await model.aschedule(
            prompt.text, ids=prompt.ids, sample=sample, stream=tell is not None, warn=False, settings=settings
        )
        read = 0
        try:
            if tell is not None:
                length, last = len(head), 0.0
                if head:
                    tell(Piece(index, head, None))
                async with aclosing(text.pieces()) as pieces:
                    async for piece in pieces:
                        last = watch.token(begun, last)
                        length += len(piece)
                        lists = None
                        if tokens is not None:
                            new_ids = text.new_ids[read:]
                            read += len(new_ids)
                            await tokens.read(text.prompt_ids, new_ids)
                            lists = tokens.take(length)
                        tell(Piece(index, piece, lists))
            result = await text.result()
        finally:
            text.cancel()
        whole, lists = head + result.continuation, None
        if tokens is not None:
            await tokens.read(text.prompt_ids, result.ids[read:])
            lists = tokens.take(len(whole) if result.finish_reason == "stop" else None)
        return Finished(index, prompt, whole, lists, result)

    async def _together(self, asked: Asked, prompt: Prompt) -> list[Finished]:
        """Make the texts of a prompt that are found together, or meet a constraint, by a call of their own."""
        watch, begun = self._metrics.of(asked.served.name), time.monotonic()
        async with self._places.turn(), self._calls:
            watch.queued(time.monotonic() - begun)
            results = await asked.served.model.agenerate_many([prompt.text], n=asked.samples, settings=asked.settings)
        finished = []
        for result in results:
            lists = None
            if asked.likeliest is not None:
                tokens = TokenTexts(asked, prompt)
                try:
                    finished_ids = asked.served.model.tokenizer.open_end(prompt.encoding).finished
                    await tokens.read(finished_ids, result.ids)
                finally:
                    tokens.stop()
                lists = tokens.take(len(result.text) if result.finish_reason == "stop" else None)
            text = result.text if asked.echo else result.continuation
            finished.append(Finished(0, prompt, text, lists, result))
            watch.finished(result, len(prompt.encoding.ids), time.monotonic() - begun)
        return finished


async def in_parallel(work: list[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results of all coroutines; the first error cancels the others, and is raised as it is."""
    if len(work) == 1:
        return [await work[0]]
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _next(events: asyncio.Queue[T], making: asyncio.Task[None]) -> T:
    """Return the next event; raises what ``making`` raised if there will be none."""
    if events.empty() and not making.done():
        waiting = asyncio.ensure_future(events.get())
        await asyncio.wait((waiting, making), return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        waiting.cancel()
    if events.empty():
        making.result()
    return events.get_nowait()
