"""Checks a JSON value against a schema: the part of JSON Schema that the server's bodies use.

The same schemas are published in ``/openapi.json``, so what is written there is what is checked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from genrun.checks.short_text import shown
from genrun.errors import nearest
from genrun.serving.refusals import Refused

__all__ = ["Schema", "check_body"]

Schema = Mapping[str, Any]

_NAMES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def check_body(body: object, schema: Schema) -> dict[str, Any]:
    """Return the fields of ``body`` that are not null, as if the others were absent; raises Refused (400).

    >>> check_body({"n": 2, "seed": None}, {"properties": {"n": {"type": "integer"}, "seed": {"type": ["null"]}}})
    {'n': 2}
    """
    if not isinstance(body, dict):
        raise Refused(400, f"the body must be a JSON object, not {shown(body)}")
    given = {name: value for name, value in body.items() if value is not None}
    _check_object(given, {"additionalProperties": False, **schema}, "")
    return given


def _check(value: object, schema: Schema, name: str) -> None:
    """Raise Refused unless ``value`` of the field ``name`` fits ``schema``."""
    if "anyOf" in schema:
        _check_any(value, schema["anyOf"], name)
        return
    types = _types(schema)
    kind = _kind(value)
    if types and kind not in types and not (kind == "integer" and "number" in types):
        raise _refused(name, f"must be {_expected(schema)}, not {shown(value)}")
    if value is not None and "enum" in schema and value not in schema["enum"]:
        raise _refused(name, f"must be {_expected(schema)}, not {shown(value)}")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        _check_number(value, schema, name)
    elif isinstance(value, str):
        _check_length(len(value), schema, name, "minLength", "maxLength", "characters")
    elif isinstance(value, list):
        _check_length(len(value), schema, name, "minItems", "maxItems", "entries")
        for number, item in enumerate(value):
            _check(item, schema.get("items", {}), f"{name}[{number}]")
    elif isinstance(value, dict):
        _check_object(value, schema, name)


def _check_any(value: object, schemas: list[Schema], name: str) -> None:
    """Raise Refused unless ``value`` fits one of ``schemas``: the error that is found latest in the value."""
    errors = list[Refused]()
    for schema in [schema for schema in schemas if _begins_alike(value, schema)] or schemas:
        try:
            _check(value, schema, name)
            return
        except Refused as error:
            if _kind(value) in _types(schema):
                errors.append(error)
    if not errors:
        expected = " or ".join(dict.fromkeys(_expected(schema) for schema in schemas if "null" not in _types(schema)))
        raise _refused(name, f"must be {expected}, not {shown(value)}")
    raise max(errors, key=lambda error: [int(number) for number in re.findall(r"\[(\d+)\]", error.param or "")])


def _begins_alike(value: object, schema: Schema) -> bool:
    """Return whether ``value`` is a list whose first entry has the type that ``schema`` asks for."""
    return isinstance(value, list) and bool(value) and _kind(value[0]) in _types(schema.get("items", {}))


def _check_object(value: dict[str, Any], schema: Schema, name: str) -> None:
    known = schema.get("properties", {})
    for field, item in value.items():
        path = f"{name}.{field}" if name else field
        if field in known:
            _check(item, known[field], path)
        elif schema.get("additionalProperties") is False:
            raise Refused(400, f"{shown(path)} is not supported; {nearest(field, known)}", param=path)
        elif isinstance(schema.get("additionalProperties"), Mapping):
            _check(item, schema["additionalProperties"], path)
    for field in schema.get("required", ()):
        if field not in value:
            path = f"{name}.{field}" if name else field
            raise Refused(400, f"{path} is missing", param=path)
    if len(value) > schema.get("maxProperties", len(value)):
        raise _refused(name, f"must have at most {schema['maxProperties']} entries")


def _check_number(value: float, schema: Schema, name: str) -> None:
    least, most = schema.get("minimum"), schema.get("maximum")
    above = schema.get("exclusiveMinimum")
    if (
        (least is not None and value < least)
        or (most is not None and value > most)
        or (above is not None and value <= above)
    ):
        raise _refused(name, f"must be {_expected(schema)}, not {shown(value)}")


def _check_length(length: int, schema: Schema, name: str, least: str, most: str, what: str) -> None:
    if length < schema.get(least, 0):
        raise _refused(name, f"must have at least {schema[least]} {what}")
    if length > schema.get(most, length):
        raise _refused(name, f"must have at most {schema[most]:,} {what}, not {length:,}")


def _types(schema: Schema) -> list[str]:
    types = schema.get("type", [])
    return [types] if isinstance(types, str) else list(types)


def _kind(value: object) -> str:
    """Return the JSON type of ``value``; 2.0 is a whole number, as in JSON Schema."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def _expected(schema: Schema) -> str:
    """Return what ``schema`` accepts, in words."""
    if "enum" in schema:
        return " or ".join(repr(each) for each in schema["enum"] if each is not None)
    kinds = [_NAMES[kind] for kind in _types(schema) if kind != "null"]
    words = " or ".join(kinds) or "null"
    least, most, above = schema.get("minimum"), schema.get("maximum"), schema.get("exclusiveMinimum")
    if above is not None:
        return f"{words} above {above}" + (f" and at most {most}" if most is not None else "")
    if least is not None and most is not None:
        return f"{words} from {least} to {most}"
    return f"{words} from {least}" if least is not None else words


def _refused(name: str, problem: str) -> Refused:
    return Refused(400, f"{name} {problem}", param=name)
