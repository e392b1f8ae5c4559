"""The bodies of requests, as schemas: what is checked, and what ``/openapi.json`` says."""

from __future__ import annotations

from typing import Any

from genrun.serving.limits import Limits
from genrun.tokenizer.detokenizer import CASINGS

__all__ = ["MOST_LIKELIEST", "Body", "bodies"]

Body = dict[str, Any]

MOST_LIKELIEST = 20  # tokens at a place, in logprobs
_MOST_STOPS = 16
_MOST_MESSAGES = 1000


def bodies(limits: Limits) -> dict[str, Body]:
    """Return the schema of each endpoint's body, by the endpoint's path."""
    ids = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1}
    prompts = {
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": limits.texts},
            {**ids, "maxItems": limits.prompt_tokens},
            {"type": "array", "items": ids, "minItems": 1, "maxItems": limits.texts},
        ],
        "description": "One text or several, as text or as token ids. Ids are all that the model is given.",
    }
    text, labels = {"type": "string"}, _optional("object", additionalProperties={"type": "string"})
    completion = {
        "model": _model(),
        "prompt": {"anyOf": [*prompts["anyOf"], {"type": "null"}], "description": prompts["description"]},
        **_generating(limits),
        "best_of": _optional("integer", minimum=1, maximum=limits.texts),
        "logprobs": _optional("integer", minimum=0, maximum=MOST_LIKELIEST),
        "echo": _optional("boolean"),
    }
    chat = {
        "model": _model(),
        "messages": _messages(),
        **_generating(limits),
        "max_completion_tokens": _optional("integer", minimum=0, maximum=limits.new_tokens),
        "logprobs": _optional("boolean"),
        "top_logprobs": _optional("integer", minimum=0, maximum=MOST_LIKELIEST),
        "response_format": _optional("object", properties={"type": {"enum": ["text"]}}, additionalProperties=False),
    }
    suggest = {
        "model": _model(),
        "text": text,
        "n": _optional("integer", minimum=1, maximum=1000),
        "end": _optional("boolean"),
        "casing": _optional("string", enum=[*CASINGS, None]),
        "labels": labels,
    }
    texts = {"type": "array", "items": text, "minItems": 1, "maxItems": limits.texts}
    score = {"model": _model(), "text": {"anyOf": [text, texts]}, "labels": labels}
    tokenize = {"model": _model(), "prompt": text, "add_special_tokens": _optional("boolean")}
    detokenize = {"model": _model(), "tokens": {"type": "array", "items": {"type": "integer", "minimum": 0}}}
    return {
        "/v1/completions": _object(completion, []),
        "/v1/chat/completions": _object(chat, ["messages"]),
        "/v1/suggest": _object(suggest, ["text"]),
        "/v1/score": _object(score, ["text"]),
        "/tokenize": _object(tokenize, ["prompt"]),
        "/detokenize": _object(detokenize, ["tokens"]),
    }


def _generating(limits: Limits) -> Body:
    """Return the fields that completions and chats share: OpenAI's, those that other servers added, and our own."""
    stops = {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": _MOST_STOPS}
    link = {"anyOf": [{"type": "string"}, {"type": "object"}]}
    parts = {"anyOf": [{"type": "string"}, {"type": "array", "items": link, "maxItems": 64}, {"type": "null"}]}
    return {
        "max_tokens": _optional("integer", minimum=0, maximum=limits.new_tokens),
        "n": _optional("integer", minimum=1, maximum=limits.texts),
        "temperature": _optional("number", minimum=0, maximum=100),
        "top_p": _optional("number", exclusiveMinimum=0, maximum=1),
        "top_k": _optional("integer", minimum=-1, maximum=10**9),
        "min_p": _optional("number", minimum=0, maximum=1),
        "presence_penalty": _optional("number", minimum=-2, maximum=2),
        "frequency_penalty": _optional("number", minimum=-2, maximum=2),
        "repetition_penalty": _optional("number", minimum=0.01, maximum=100),
        "logit_bias": _optional(
            "object", additionalProperties={"type": "number", "minimum": -100, "maximum": 100}, maxProperties=1024
        ),
        "seed": _optional("integer", minimum=0, maximum=2**64 - 1),
        "stop": {"anyOf": [{"type": "string", "minLength": 1}, stops, {"type": "null"}]},
        "stream": _optional("boolean"),
        "stream_options": _optional(
            "object", properties={"include_usage": _optional("boolean")}, additionalProperties=False
        ),
        "user": _optional("string"),
        "decoder": {**parts, "description": 'genrun: a chain, such as "min-p:0.05,temperature:0.8".'},
        "constraint": {**parts, "description": 'genrun: what a text must meet, such as "words:6,never:storm".'},
        "particles": _optional("integer", minimum=1, maximum=10_000),
        "labels": _optional("object", additionalProperties={"type": "string"}),
        "casing": _optional("string", enum=[*CASINGS, None]),
        "max_copied": _optional("integer", minimum=0, maximum=10**9),
        "beam": _optional("integer", minimum=1, maximum=64),
        "length_penalty": _optional("number", minimum=0, maximum=10),
        "distinct": _optional("boolean"),
        "spread": _optional("boolean"),
    }


def _messages() -> Body:
    part = _object({"type": {"enum": ["text"]}, "text": {"type": "string"}}, ["type", "text"])
    content = {"anyOf": [{"type": "string"}, {"type": "array", "items": part, "maxItems": 64}]}
    roles = ["developer", "system", "user", "assistant"]
    message = _object(
        {"role": {"type": "string", "enum": roles}, "content": content, "name": _optional("string")},
        ["role", "content"],
    )
    return {"type": "array", "items": message, "minItems": 1, "maxItems": _MOST_MESSAGES}


def _model() -> Body:
    return _optional("string", description="The name of a model; not needed if the server has one.")


def _optional(kind: str, **schema: Any) -> Body:
    return {"type": [kind, "null"], **schema}


def _object(properties: Body, required: list[str]) -> Body:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
