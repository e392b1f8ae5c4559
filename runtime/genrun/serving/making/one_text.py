"""One text in the making: what becomes of its tokens, log-probabilities and figures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from genrun.generating.sharing.scheduled_text import AsyncScheduledText
from genrun.results import Result
from genrun.serving.asking.asked import Asked, Prompt
from genrun.serving.making.token_texts import TokenTexts
from genrun.serving.metrics import ModelMetrics

__all__ = ["Finished", "Making", "Piece"]


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


class Making:
    """Follows one text of a request; ``head`` is the prompt if the text begins with it, else empty."""

    def __init__(self, asked: Asked, prompt: Prompt, figures: ModelMetrics) -> None:
        self._asked, self._prompt, self._figures = asked, prompt, figures
        self._begun, self._last = time.monotonic(), 0.0
        self._tokens = TokenTexts(asked, prompt) if asked.likeliest is not None else None
        self._read = 0  # new tokens whose log-probabilities are known
        model, settings = asked.served.model, asked.settings
        self.head = model.prompt_text(prompt.text, casing=settings.casing) if asked.echo else ""
        self._length = len(self.head)

    def stop(self) -> None:
        """End the work of other threads for the text."""
        if self._tokens is not None:
            self._tokens.stop()

    def has_row(self) -> None:
        """Record that the text has a row."""
        self._figures.queued(time.monotonic() - self._begun)

    async def begin(self, sample: int, *, stream: bool) -> AsyncScheduledText:
        """Start generating the text, and return it."""
        prompt, settings = self._prompt, self._asked.settings
        model = self._asked.served.model
        return await model.aschedule(
            prompt.text, ids=prompt.ids, sample=sample, stream=stream, warn=False, settings=settings
        )

    async def passed(self, piece: str, text: AsyncScheduledText) -> dict[str, Any] | None:
        """Record a piece of a stream; return the lists of the tokens that it completes."""
        self._last = self._figures.token(self._begun, self._last)
        self._length += len(piece)
        if self._tokens is None:
            return None
        new_ids = text.new_ids[self._read :]
        self._read += len(new_ids)
        await self._tokens.read(text.prompt_ids, new_ids)
        return self._tokens.take(self._length)

    async def finish(self, index: int, result: Result, prompt_ids: Sequence[int]) -> Finished:
        """Return the finished text."""
        whole, lists = self.head + result.continuation, None
        if self._tokens is not None:
            await self._tokens.read(prompt_ids, result.ids[self._read :])
            lists = self._tokens.take(len(whole) if result.finish_reason == "stop" else None)
        return self._done(index, whole, lists, result)

    async def read_only(self, index: int) -> Finished:
        """Return a text that has no new token."""
        lists = None
        if self._tokens is not None:
            await self._tokens.read(self._prompt.encoding.ids, ())
            lists = self._tokens.take(None)
        return self._done(index, self.head, lists, None)

    def _done(self, index: int, text: str, lists: dict[str, Any] | None, result: Result | None) -> Finished:
        self._figures.finished(result, len(self._prompt.encoding.ids), time.monotonic() - self._begun)
        return Finished(index, self._prompt, text, lists, result)
