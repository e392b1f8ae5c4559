"""The texts of a request: each waits for its turn, and is made by the model's scheduler together with all others."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from typing import Any, TypeVar

from genrun.serving.asking.asked import Asked, Prompt
from genrun.serving.making.one_text import Finished, Making, Piece
from genrun.serving.metrics import Metrics
from genrun.serving.places import Places
from genrun.serving.refusals import naming

__all__ = ["Texts", "in_parallel"]

T = TypeVar("T")


class Texts:
    """Makes texts for the requests of one event loop."""

    def __init__(self, places: Places, metrics: Metrics) -> None:
        self._places, self._metrics = places, metrics
        self._calls = asyncio.Semaphore(os.cpu_count() or 1)  # calls outside the scheduler, at the same time

    async def all(self, asked: Asked) -> list[list[Finished]]:
        """Return the finished texts of each prompt, in order; fewer samples where a search finds no more.

        Cancellation or an error gives up all of them.
        """
        if asked.together:
            return await in_parallel([self._together(asked, prompt) for prompt in asked.prompts])
        places = [(prompt, sample) for prompt in asked.prompts for sample in range(asked.samples)]
        made = await in_parallel([self._text(asked, i, *place) for i, place in enumerate(places)])
        return [made[i : i + asked.samples] for i in range(0, len(made), asked.samples)]

    async def each(self, asked: Asked) -> AsyncGenerator[Piece | Finished, None]:
        """Yield pieces as they are generated, and each text when it is finished; close the iterator to give up."""
        places = [(prompt, sample) for prompt in asked.prompts for sample in range(asked.samples)]
        texts = [self._stream(asked, i, *place) for i, place in enumerate(places)]
        async with aclosing(texts[0] if len(texts) == 1 else _merged(texts)) as events:
            async for event in events:
                yield event

    async def _text(self, asked: Asked, index: int, prompt: Prompt, sample: int) -> Finished:
        """Return one text once it is finished."""
        async with self._turn(asked, prompt) as making:
            if not asked.writes:
                return await making.read_only(index)
            text = await making.begin(sample, stream=False)
            try:
                return await making.finish(index, await text.result(), text.prompt_ids)
            finally:
                text.cancel()

    async def _stream(
        self, asked: Asked, index: int, prompt: Prompt, sample: int
    ) -> AsyncGenerator[Piece | Finished, None]:
        """Yield the pieces of one text as they are generated, and then the finished text."""
        async with self._turn(asked, prompt) as making:
            if making.head:
                yield Piece(index, making.head, None)
            if not asked.writes:
                yield await making.read_only(index)
                return
            text = await making.begin(sample, stream=True)
            try:
                async with aclosing(text.pieces(joined=True)) as pieces:
                    async for piece in pieces:
                        yield Piece(index, piece, await making.passed(piece, text))
                yield await making.finish(index, await text.result(), text.prompt_ids)
            finally:
                text.cancel()

    @contextlib.asynccontextmanager
    async def _turn(self, asked: Asked, prompt: Prompt) -> AsyncGenerator[Making, None]:
        """Wait for a row, and keep it until the text is finished or given up."""
        making = Making(asked, prompt, self._metrics.of(asked.served.name))
        try:
            async with self._places.turn():
                making.has_row()
                yield making
        finally:
            making.stop()

    async def _together(self, asked: Asked, prompt: Prompt) -> list[Finished]:
        """Make all texts of a prompt in one call: for a constraint or a search."""
        model = asked.served.model
        refused = naming("constraint") if asked.settings.constraint else contextlib.nullcontext()
        async with self._turn(asked, prompt), self._calls:
            with refused:
                results = await model.agenerate_many([prompt.text], n=asked.samples, settings=asked.settings)
            await asyncio.to_thread(lambda: [result.copied_run for result in results])  # found here, not on the loop
            finished = []
            for result in results:
                making = Making(asked, prompt, self._metrics.of(asked.served.name))
                try:
                    ids = model.tokenizer.open_end(prompt.encoding).finished
                    finished.append(await making.finish(0, result, ids))
                finally:
                    making.stop()
        return finished


async def _merged(texts: list[AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
    """Yield what all of ``texts`` yield, as it comes; the first error ends all."""
    events: asyncio.Queue[T | None] = asyncio.Queue()

    async def pass_on(text: AsyncGenerator[T, None]) -> None:
        async with aclosing(text):
            async for event in text:
                events.put_nowait(event)

    async def make() -> None:
        try:
            await in_parallel([pass_on(text) for text in texts])
        finally:
            events.put_nowait(None)

    making = asyncio.create_task(make())
    try:
        while (event := await events.get()) is not None:
            yield event
        await making
    finally:
        making.cancel()
        await asyncio.gather(making, return_exceptions=True)


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
