"""Checks of single values in the JSON documents of a model file."""

from __future__ import annotations

from typing import Any, TypeGuard

__all__ = ["Malformed", "is_whole", "token_ids"]


class Malformed(Exception):
    """A metadata document does not have its shape."""


def token_ids(value: dict[str, Any], key: str, vocabulary: int) -> tuple[int, ...]:
    """Return the list ``key`` of a document; raises Malformed unless it holds ids of a vocabulary of this size."""
    ids = value.get(key)
    if not isinstance(ids, list) or not all(is_whole(i) and i >= 0 for i in ids):
        raise Malformed(f"{key!r} must be a list of token ids")
    if any(i >= vocabulary for i in ids):
        raise Malformed(f"{key!r} names a token outside the vocabulary of {vocabulary}")
    return tuple(ids)


def is_whole(value: object) -> TypeGuard[int]:
    """Return whether a value of a JSON document is a whole number."""
    return isinstance(value, int) and not isinstance(value, bool)
