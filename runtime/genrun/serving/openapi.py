"""``/openapi.json``: the paths of the server and the schemas of their bodies."""

from __future__ import annotations

from typing import Any

import genrun
from genrun.serving.asking.bodies import Body

__all__ = ["document"]

_POSTED = {
    "/v1/completions": ("complete", "Continue one prompt or several.", "Completion"),
    "/v1/chat/completions": ("chat", "Continue the last message; earlier ones are not read.", "ChatCompletion"),
    "/v1/suggest": ("suggest", "The likeliest next words, or completions of the last one.", "Suggestions"),
    "/v1/score": ("score", "How likely texts are.", "Scores"),
    "/tokenize": ("tokenize", "Text to token ids.", "Tokens"),
    "/detokenize": ("detokenize", "Token ids to text.", "Text"),
}
_GOT = {
    "/v1/models": ("models", "The models of the server.", "ModelList"),
    "/tokenizer_info": ("tokenizerInfo", "The special tokens of a model.", "TokenizerInfo"),
}
_HEALTH = {
    "/livez": ("livez", "Whether the process answers."),
    "/readyz": ("readyz", "Whether it accepts requests; 503 once it shuts down."),
    "/health": ("health", "The same as /readyz."),
}
_ERRORS = {
    "400": "A field is missing, not supported or has a value that is not accepted.",
    "401": "The key is missing or wrong.",
    "403": "The Host header is not accepted.",
    "404": "There is no such model.",
    "405": "The path has other methods.",
    "408": "The body did not arrive in time.",
    "413": "The body is too long.",
    "415": "The body is not sent as JSON.",
    "429": "All places are taken; see Retry-After.",
    "500": "The server failed.",
    "503": "The text waited too long for its turn, or the server shuts down; see Retry-After.",
}
_ANSWERS: dict[str, Body] = {
    "Completion": {"required": ["id", "object", "created", "model", "choices", "usage"]},
    "ChatCompletion": {"required": ["id", "object", "created", "model", "choices", "usage"]},
    "Suggestions": {"required": ["suggestions", "unknown"]},
    "Scores": {"required": ["object", "data"]},
    "Tokens": {"required": ["count", "tokens"]},
    "Text": {"required": ["prompt"]},
    "ModelList": {"required": ["object", "data"]},
    "Model": {"required": ["id", "object", "created", "owned_by"]},
    "TokenizerInfo": {"required": ["vocab_size", "bos_token", "eos_token"]},
    "Health": {"required": ["status"]},
    "Error": {
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["message", "type", "param", "code"],
                "properties": {
                    "message": {"type": "string"},
                    "type": {"type": "string"},
                    "param": {"type": ["string", "null"]},
                    "code": {"type": ["string", "null"]},
                },
            }
        },
    },
}


def document(bodies: dict[str, Body], *, key: bool, several: bool) -> dict[str, Any]:
    """Return the OpenAPI document; ``key``: requests need a key; ``several``: they must name a model."""
    paths: dict[str, Any] = {}
    for path, (name, about, answer) in _POSTED.items():
        streams = path.endswith("completions")
        operation = _operation(name, about, answer, streams=streams)
        content = {"application/json": {"schema": _naming(bodies[path]) if several else bodies[path]}}
        paths[path] = {"post": {**operation, "requestBody": {"required": True, "content": content}}}
    model = {"name": "model", "required": True, "schema": {"type": "string"}}
    for path, (name, about, answer) in _GOT.items():
        parameters = [{**model, "in": "query", "required": several}] if path == "/tokenizer_info" else []
        paths[path] = {"get": {**_operation(name, about, answer), "parameters": parameters}}
    one = {**_operation("model", "One model.", "Model"), "parameters": [{**model, "in": "path"}]}
    paths["/v1/models/{model}"] = {"get": one}
    for path, (name, about) in _HEALTH.items():
        paths[path] = {"get": {**_operation(name, about, "Health"), "security": []}}
    text = {
        "200": {"description": "Prometheus' text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}
    }
    paths["/metrics"] = {"get": {**_operation("metrics", "Figures of the server.", "Health"), "responses": text}}
    schemas = {name: {"type": "object", **schema} for name, schema in _ANSWERS.items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "genrun", "version": genrun.__version__, "description": "Texts from genrun's model files."},
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
        "security": [{"key": []}] if key else [],
    }


def _naming(body: Body) -> Body:
    """Return the schema of a body that must name its model."""
    properties = {**body["properties"], "model": {"type": "string", "description": "The name of a model."}}
    return {**body, "properties": properties, "required": ["model", *body["required"]]}


def _operation(name: str, about: str, answer: str, *, streams: bool = False) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": _reference(answer)}}
    if streams:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    responses: dict[str, Any] = {"200": {"description": "The answer.", "content": content}}
    for status, reason in _ERRORS.items():
        error: dict[str, Any] = {
            "description": reason,
            "content": {"application/json": {"schema": _reference("Error")}},
        }
        if status in ("429", "503"):
            error["headers"] = {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds."}}
        responses[status] = error
    return {"operationId": name, "summary": about, "responses": responses}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
