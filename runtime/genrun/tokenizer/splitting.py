"""Splits a normalized text into what a vocabulary is counted from: words, characters, or pieces of subwords."""

from __future__ import annotations

from genrun.tokenizer.kinds import SPLITS
from genrun.tokenizer.subwords.pieces import cut, with_line_starts

__all__ = ["split"]


def split(normalized: str, kind: str, split_on: str) -> list[str]:
    """Return the words, characters or pieces of a normalized text.

    >>> split("the  sea", "word", "whitespace"), split("sea", "char", "whitespace"), split("the sea", "bpe", "space")
    (['the', 'sea'], ['s', 'e', 'a'], [' the', ' sea'])
    """
    if kind == "char":
        return list(normalized)
    if kind == "bpe":
        return cut(with_line_starts(normalized))
    words = normalized.split(SPLITS[split_on])
    return [word for word in words if word] if split_on == "space" else words
