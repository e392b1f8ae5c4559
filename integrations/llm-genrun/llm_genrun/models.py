"""A genrun model file as a model of llm, for programs with and without an event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llm
from pydantic import Field

if TYPE_CHECKING:
    from genrun import Model, Result
    from genrun.generating.settings import GenerationSettings

__all__ = ["AsyncGenrun", "Genrun", "Options"]


class Options(llm.Model.Options):
    """What ``llm -o NAME VALUE`` sets; the model file says what is left out."""

    seed: int | None = Field(None, description="The same seed gives the same text")
    max_tokens: int | None = Field(None, description="The most tokens to add")
    decoder: str | None = Field(None, description="How words are chosen, such as greedy or top-k:20,temperature:0.8")
    temperature: float | None = Field(None, description="The temperature of the decoder, above 0")
    constraint: str | None = Field(None, description="What the whole text must meet, such as words:6,never:storm")
    casing: str | None = Field(None, description="none, corpus, title, sentence or upper")
    max_copied: int | None = Field(None, description="The most words in a row from the training text")
    whole: bool | None = Field(None, description="Return the prompt with its continuation")


class _Common:
    """What both kinds of models share."""

    can_stream = True
    supports_conversation = False
    Options = Options

    def __init__(self, name: str, path: Path) -> None:
        self.model_id = f"genrun-{name}"
        self.path = path

    def _opened(self, prompt: llm.Prompt) -> tuple[Model, GenerationSettings, str]:
        """Return the model, the settings of the options, and what stands before the continuation."""
        if prompt.system:
            raise llm.ModelError(f"{self.model_id} continues texts; it has no system prompt")
        model = _loaded(self.path, self.path.stat().st_mtime_ns if self.path.exists() else 0)
        chosen = {name: value for name, value in prompt.options.model_dump().items() if value is not None}
        whole = chosen.pop("whole", False)
        if "max_tokens" in chosen:
            chosen["max_new_tokens"] = chosen.pop("max_tokens")
        settings = model.settings(**chosen)
        return model, settings, model.prompt_text(prompt.prompt, casing=settings.casing) if whole else ""

    def _finish(self, response: Any, model: Model, result: Result) -> None:
        """Record the result: llm logs it, and the seed in it gives the same text again."""
        names = "seed", "finish_reason", "log_probability", "unknown", "copied_run"
        values = result.to_json()
        response.response_json = {name: values[name] for name in names if values[name] not in (None, ())}
        response.set_usage(input=len(model.tokenizer.encode_prompt(result.prompt).ids), output=len(result.ids))


class Genrun(_Common, llm.Model):
    """A model file that generates for programs without an event loop, and for the command line."""

    def execute(
        self, prompt: llm.Prompt, stream: bool, response: llm.Response, conversation: llm.Conversation | None
    ) -> Iterator[str]:
        """Yield the continuation, in pieces if ``stream`` and there is no constraint."""
        model, settings, before = self._opened(prompt)
        if settings.constraint or not stream:
            [result] = model.generate_many([prompt.prompt], settings=settings)
            yield before + result.continuation
        else:
            text = model.schedule(prompt.prompt, stream=True, settings=settings)
            try:
                if before:
                    yield before
                yield from text.pieces()
            finally:
                text.cancel()  # nothing happens to a finished one
            result = text.result()
        self._finish(response, model, result)


class AsyncGenrun(_Common, llm.AsyncModel):
    """A model file that generates for programs with an event loop; texts that meet share their steps."""

    async def execute(
        self,
        prompt: llm.Prompt,
        stream: bool,
        response: llm.AsyncResponse,
        conversation: llm.AsyncConversation | None,
    ) -> AsyncGenerator[str, None]:
        """Yield the continuation, in pieces if ``stream`` and there is no constraint."""
        model, settings, before = await asyncio.to_thread(self._opened, prompt)
        if settings.constraint:
            [result] = await model.agenerate_many([prompt.prompt], settings=settings)
            yield before + result.continuation
        else:
            text = await model.aschedule(prompt.prompt, stream=stream, settings=settings)
            try:
                if before:
                    yield before
                if stream:
                    async for piece in text.pieces():
                        yield piece
                result = await text.result()
                if not stream:
                    yield result.continuation
            finally:
                text.cancel()
        self._finish(response, model, result)


@lru_cache(maxsize=4)
def _loaded(path: Path, modified: int) -> Model:
    import genrun

    return genrun.load(path)
