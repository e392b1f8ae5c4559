"""``/v1/completions`` and ``/v1/chat/completions``: from a checked body to the shape of the answer."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from typing import Any

from genrun.results import Result
from genrun.serving.answers import encoded
from genrun.serving.asking.asked import Asked, asked_for
from genrun.serving.chat import chat_choice, chat_delta, prompt_of_messages
from genrun.serving.limits import Limits
from genrun.serving.making.one_text import Finished, Piece
from genrun.serving.making.texts import Texts
from genrun.serving.metrics import REASONS
from genrun.serving.names import new_name
from genrun.serving.refusals import Refused
from genrun.serving.served import ServedModels

__all__ = ["Completion"]


class Completion:
    """One request for texts; ``chat`` decides the shape of its answer.

    Made with :meth:`read`, which raises Refused, or the GenrunError of what does not fit the model.
    """

    def __init__(self, asked: Asked, *, chat: bool, unread: int) -> None:
        self.asked, self._chat, self._unread = asked, chat, unread
        kind = "chatcmpl" if chat else "cmpl"
        self._head = {
            "id": f"{kind}-{new_name()}",
            "object": "chat.completion" if chat else "text_completion",
            "created": int(time.time()),
            "model": asked.served.name,
            "system_fingerprint": asked.served.fingerprint,
        }
        self.completion_tokens = 0
        """New tokens of the finished texts."""

    @classmethod
    async def read(cls, body: Mapping[str, Any], models: ServedModels, limits: Limits, *, chat: bool) -> Completion:
        """Return what ``body``, which was checked against its schema, asks for."""
        served = models.named(body.get("model"))
        if not chat:
            prompts = _prompts(body.get("prompt", ""))
            return cls(await asked_for(body, prompts, served, limits), chat=False, unread=0)
        prompt, unread = prompt_of_messages(body["messages"])
        fields = dict(body)
        if "top_logprobs" in body and not body.get("logprobs"):
            raise Refused(400, "top_logprobs goes with logprobs: true", param="top_logprobs")
        if "max_completion_tokens" in body:
            fields["max_tokens"] = body["max_completion_tokens"]
        fields.pop("logprobs", None)
        if body.get("logprobs"):
            fields["logprobs"] = body.get("top_logprobs", 0)
        return cls(await asked_for(fields, [prompt], served, limits), chat=True, unread=unread)

    @property
    def prompt_tokens(self) -> int:
        """The tokens of all prompts."""
        return sum([len(prompt.encoding.ids) for prompt in self.asked.prompts])

    async def answer(self, texts: Texts) -> dict[str, Any]:
        """Return the answer once all texts are finished."""
        made = await texts.all(self.asked)
        self._count([text for each in made for text in each])
        best = [text for each in made for text in _best(each, self.asked.n)]
        choices = [self._choice(index, text) for index, text in enumerate(best)]
        return {**self._head, "choices": choices, "usage": self._usage(), **self._note()}

    async def events(self, texts: Texts) -> AsyncGenerator[bytes, None]:
        """Yield the events of a stream, as JSON. What all have in common is written once."""
        head: dict[str, Any] = {**self._head, "object": "chat.completion.chunk" if self._chat else "text_completion"}
        common = encoded({**head, "usage": None} if self.asked.include_usage else head)[:-1] + b',"choices":['
        begun = set[int]()
        finished = list[Finished]()
        async with aclosing(texts.each(self.asked)) as parts:
            async for part in parts:
                choice = self._encoded_part(part, first=part.index not in begun)
                begun.add(part.index)
                if isinstance(part, Piece):
                    yield common + choice + b"]}"
                    continue
                finished.append(part)
                note = encoded(self._note())[1:]
                yield common + choice + (b"]," + note if len(note) > 1 else b"]}")
        self._count(finished)
        if self.asked.include_usage:
            yield encoded({**head, "choices": [], "usage": self._usage()})

    def _encoded_part(self, part: Piece | Finished, *, first: bool) -> bytes:
        """Return the choice of one event as JSON. Nearly all are bare pieces: no encoder writes these."""
        if isinstance(part, Piece) and part.text and part.lists is None and not first:
            index, text = part.index, encoded(part.text)
            if self._chat:
                return b'{"index":%d,"finish_reason":null,"delta":{"content":%b},"logprobs":null}' % (index, text)
            return b'{"index":%d,"text":%b,"logprobs":null,"finish_reason":null}' % (index, text)
        return encoded(self._part(part, first=first))

    def _part(self, part: Piece | Finished, *, first: bool) -> dict[str, Any]:
        """Return the choice of one event; the last one of a text has all of it but what was passed on before."""
        if isinstance(part, Piece):
            choice = {"index": part.index, "text": part.text, "logprobs": part.lists, "finish_reason": None}
        else:
            choice = {**self._choice_of_text(part.index, part), "text": ""}
        return chat_delta(choice, first=first) if self._chat else choice

    def _choice(self, index: int, text: Finished) -> dict[str, Any]:
        choice = self._choice_of_text(index, text)
        return chat_choice(choice) if self._chat else choice

    def _choice_of_text(self, index: int, text: Finished) -> dict[str, Any]:
        reason = "length" if text.result is None else REASONS[text.result.finish_reason]
        return {
            "index": index,
            "text": text.text,
            "logprobs": text.lists,
            "finish_reason": reason,
            "genrun": self._about(text),
        }

    def _about(self, text: Finished) -> dict[str, Any]:
        """Return what makes the text again, alone or with others, and what only genrun knows of it."""
        unknown = list(text.prompt.encoding.unknown)
        if text.result is None:
            return {"unknown": unknown}
        kept = ("seed", "sample", "finish_reason", "log_probability", "copied_run", "is_training_line")
        made = text.result.to_json()
        also = [name for name in ("probability", "effective_particles") if name in made]
        # The span is one of the choice's text; without echo, numbers below 0 lie in the prompt.
        before = 0 if self.asked.echo else len(text.result.text) - len(text.result.continuation)
        span = None if text.result.copied_span is None else [at - before for at in text.result.copied_span]
        return {**{name: made[name] for name in (*kept, *also)}, "copied_span": span, "unknown": unknown}

    def _count(self, finished: Iterable[Finished]) -> None:
        self.completion_tokens = sum([len(text.result.ids) for text in finished if text.result is not None])

    def _usage(self) -> dict[str, int]:
        prompt, new = self.prompt_tokens, self.completion_tokens
        return {"prompt_tokens": prompt, "completion_tokens": new, "total_tokens": prompt + new}

    def _note(self) -> dict[str, Any]:
        """Return the number of messages that the model did not read, as a field of the answer."""
        return {"genrun": {"messages_not_read": self._unread}} if self._unread else {}


def _prompts(given: Any) -> list[Any]:
    """Return the prompts of a body: a text, a list of texts, ids, or a list of ids."""
    if isinstance(given, str) or not isinstance(given[0], (str, list)):
        return [given]
    return list(given)


def _best(made: list[Finished], n: int) -> list[Finished]:
    """Return the ``n`` texts with the highest log-probability a token, the best first; all of them in their order."""
    return made if len(made) <= n else sorted(made, key=_badness)[:n]


def _badness(text: Finished) -> float:
    result: Result | None = text.result
    if result is None or math.isnan(result.log_probability):
        return math.inf
    return -result.log_probability / max(len(result.ids), 1)
