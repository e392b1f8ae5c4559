"""The endpoints beside texts: suggestions, scores, and the tokenizer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from genrun.serving.limits import Limits
from genrun.serving.places import Places
from genrun.serving.refusals import Refused
from genrun.serving.served import Served
from genrun.tokenizer import Tokenizer
from genrun.tokenizer.encoding import encoding_of_ids
from genrun.tokenizer.kinds import SPECIALS

__all__ = ["detokenized", "scores", "suggestions", "tokenized", "tokenizer_info"]

_SUGGESTIONS = 5


async def suggestions(body: Mapping[str, Any], served: Served, places: Places, limits: Limits) -> dict[str, Any]:
    """Return the answer of ``/v1/suggest``."""

    def suggest() -> dict[str, Any]:
        _check_length(served, body["text"], limits)
        typing = served.model.typing(casing=body.get("casing"), keep=1, labels=body.get("labels"))
        found = typing.suggest(body["text"], int(body.get("n", _SUGGESTIONS)), end=body.get("end", False))
        return {"suggestions": [each.to_json() for each in found], "unknown": list(typing.unknown)}

    async with places.turn():
        return {"object": "suggestions", "model": served.name, **await asyncio.to_thread(suggest)}


async def scores(body: Mapping[str, Any], served: Served, places: Places, limits: Limits) -> dict[str, Any]:
    """Return the answer of ``/v1/score``: how likely each text is as a whole document."""
    texts = [body["text"]] if isinstance(body["text"], str) else body["text"]
    stop = threading.Event()

    def score() -> list[dict[str, Any]]:
        for text in texts:
            _check_length(served, text, limits)
        found = served.model.score_each(texts, labels=body.get("labels"), stop=stop)
        return [{"object": "score", "index": index, **each.to_json()} for index, each in enumerate(found)]

    try:
        async with places.turn():
            return {"object": "list", "model": served.name, "data": await asyncio.to_thread(score)}
    finally:
        stop.set()


def tokenized(body: Mapping[str, Any], served: Served, limits: Limits) -> dict[str, Any]:
    """Return the answer of ``/tokenize``.

    A ``<start>`` at the beginning and an ``<end>`` at the end of the text are these tokens. Without
    ``add_special_tokens: false``, the tokens are those that a text as prompt has: ``<start>`` comes first.
    """
    tokenizer, text = served.model.tokenizer, body["prompt"]
    start, end = tokenizer.special("start"), tokenizer.special("end")
    head = [start] if start is not None and text.lstrip().startswith(SPECIALS["start"]) else []
    text = tokenizer.without_start(text)
    tail = [end] if end is not None and text.endswith(SPECIALS["end"]) else []
    encoding = tokenizer.encode(text.removesuffix(SPECIALS["end"]) if tail else text)
    if start is not None and body.get("add_special_tokens", True):
        head = [start]
    ids = [*head, *encoding.ids, *tail]
    return {
        "count": len(ids),
        "max_model_len": limits.prompt_tokens + limits.new_tokens,
        "tokens": ids,
        "token_strs": [tokenizer.vocabulary[token] for token in ids],
        "unknown": list(encoding.unknown),
    }


def detokenized(body: Mapping[str, Any], served: Served) -> dict[str, Any]:
    """Return the answer of ``/detokenize``."""
    ids = [int(token) for token in body["tokens"]]
    tokenizer = served.model.tokenizer
    return {"prompt": tokenizer.decode(encoding_of_ids(tokenizer, ids).ids) if ids else ""}


def tokenizer_info(served: Served, limits: Limits) -> dict[str, Any]:
    """Return the answer of ``/tokenizer_info``."""
    tokenizer: Tokenizer = served.model.tokenizer
    names = {"bos": "start", "eos": "end", "pad": "pad", "unk": "unk"}
    has = {short: SPECIALS[name] if name in tokenizer.specials else None for short, name in names.items()}
    return {
        "tokenizer_class": "genrun",
        "kind": tokenizer.kind,
        "vocab_size": len(tokenizer),
        **{f"{short}_token": text for short, text in has.items()},
        **{f"{short}_token_id": tokenizer.special(name) for short, name in names.items()},
        "model_max_length": limits.prompt_tokens + limits.new_tokens,
        "chat_template": None,
    }


def _check_length(served: Served, text: str, limits: Limits) -> None:
    """Raise Refused for a text of more tokens than a prompt may have."""
    if (
        len(text) > limits.prompt_tokens
        and (count := len(served.model.tokenizer.encode(text).ids)) > limits.prompt_tokens
    ):
        message = f"the text has {count:,} tokens; this server accepts {limits.prompt_tokens:,}"
        raise Refused(400, message, param="text", code="context_length_exceeded")
