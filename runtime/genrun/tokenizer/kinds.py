"""The names that a tokenizer is described with: kinds, separators of words, special tokens."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from genrun.checks.short_text import shorten
from genrun.errors import OptionError

if TYPE_CHECKING:
    from genrun.tokenizer.labels import Labels

__all__ = ["KINDS", "SPECIALS", "SPLITS", "check_specials", "check_vocabulary", "one_of"]

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


def check_vocabulary(kind: str, vocabulary: Sequence[str], specials: Sequence[str], labels: Labels) -> None:
    """Raise OptionError for a token that is there twice, and for special tokens or labels that are out of place."""
    texts, of_labels = [SPECIALS[name] for name in specials], labels.tokens
    if list(vocabulary[: len(texts)]) != texts:
        raise OptionError(f"the vocabulary must begin with its special tokens {texts}")
    if len(set(vocabulary)) != len(vocabulary):
        raise OptionError("the vocabulary names a token twice")
    at_end = kind != "bpe" or not of_labels or of_labels.stop == len(vocabulary)
    if list(vocabulary[of_labels.start : of_labels.stop]) != labels.texts or not at_end:
        raise OptionError("the vocabulary does not have the tokens of its labels")


def one_of(what: str, value: str, accepted: Iterable[str]) -> str:
    """Return ``value`` if it is ``accepted``; raises OptionError, which names ``what``, otherwise."""
    names = list(accepted)
    if value not in names:
        raise OptionError(f"unknown tokenizer {what} {shorten(value)!r}; accepted: {', '.join(names)}")
    return value
