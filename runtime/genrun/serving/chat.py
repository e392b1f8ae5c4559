"""The shape of chats around completions: the model continues the last message, and reads no other."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from genrun.errors import PromptError
from genrun.serving.refusals import Refused, refused_by

__all__ = ["chat_choice", "chat_delta", "naming_messages", "prompt_of_messages"]


def prompt_of_messages(messages: Sequence[Mapping[str, Any]]) -> tuple[str, int]:
    """Return the last message's text, and how many messages before it are not read.

    >>> prompt_of_messages([{"role": "user", "content": [{"type": "text", "text": "the council"}]}])
    ('the council', 0)
    """
    content = messages[-1]["content"]
    text = content if isinstance(content, str) else "".join([part["text"] for part in content])
    return text, len(messages) - 1


@contextlib.contextmanager
def naming_messages() -> Iterator[None]:
    """Raise the refusal of a prompt as the refusal of the messages."""
    try:
        yield
    except PromptError as error:
        raise refused_by(error, "messages") from error
    except Refused as refused:
        if refused.param == "prompt":
            refused.param = "messages"
        raise


def chat_choice(choice: Mapping[str, Any]) -> dict[str, Any]:
    """Return the choice of a completion as the one of a chat."""
    message = {"role": "assistant", "content": choice["text"], "refusal": None}
    others = {name: value for name, value in choice.items() if name not in ("text", "logprobs")}
    return {**others, "message": message, "logprobs": _content(choice["logprobs"])}


def chat_delta(choice: Mapping[str, Any], *, first: bool) -> dict[str, Any]:
    """Return the choice of a completion's event as the one of a chat; the first event names the role."""
    delta: dict[str, Any] = {"role": "assistant"} if first else {}
    if choice["text"] or first:
        delta["content"] = choice["text"]
    others = {name: value for name, value in choice.items() if name not in ("text", "logprobs")}
    return {**others, "delta": delta, "logprobs": _content(choice["logprobs"])}


def _content(lists: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the log-probabilities of a completion as those of a chat: one object for each token."""
    if lists is None:
        return None
    content = []
    for token, log, top in zip(lists["tokens"], lists["token_logprobs"], lists["top_logprobs"], strict=True):
        likeliest = [_token(name, other) for name, other in (top or {}).items()]
        content.append({**_token(token, log), "top_logprobs": likeliest})
    return {"content": content, "refusal": None}


def _token(text: str, log: float | None) -> dict[str, Any]:
    return {"token": text, "logprob": log, "bytes": list(text.encode("utf-8", "replace"))}
