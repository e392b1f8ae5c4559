"""The names that a tokenizer is described with: kinds, separators of words, special tokens."""

from __future__ import annotations

from collections.abc import Iterable

from genrun.checks.short_text import shorten
from genrun.errors import OptionError

__all__ = ["KINDS", "SPECIALS", "SPLITS", "check_specials", "one_of"]

KINDS = ("word", "char", "bpe")
SPLITS = {
    "space": " ",
    "whitespace": None,
}  # separators of words; a no-break space is white space, but not a space
SPECIALS = {"pad": "<pad>", "unk": "<unk>", "start": "<start>", "end": "<end>"}  # in the order of their ids


def check_specials(names: Iterable[str]) -> tuple[str, ...]:
    """Return the special tokens in the order of their ids; raises OptionError for an unknown name."""
    chosen = set(names)
    for name in chosen:
        one_of("special token", name, SPECIALS)
    return tuple(name for name in SPECIALS if name in chosen)


def one_of(what: str, value: str, accepted: Iterable[str]) -> str:
    """Return ``value`` if it is ``accepted``; raises OptionError, which names ``what``, otherwise."""
    names = list(accepted)
    if value not in names:
        raise OptionError(f"unknown tokenizer {what} {shorten(value)!r}; accepted: {', '.join(names)}")
    return value
