"""A tokenizer as JSON, as a run folder and a model file keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genrun.checks.short_text import shown
from genrun.errors import OptionError
from genrun.tokenizer.normalization import Normalization
from genrun.tokenizer.written_forms import WrittenForms

if TYPE_CHECKING:
    from genrun.tokenizer.tokenizer import Tokenizer

__all__ = ["from_json", "to_json"]

_FORMAT = 1
_WITH_MERGES = 2  # the format of subwords, which a genrun that knows no merges must refuse


def to_json(tokenizer: Tokenizer) -> dict[str, Any]:
    """Return ``tokenizer`` as a JSON-ready dictionary."""
    subwords = tokenizer.kind == "bpe"
    return {
        "version": _WITH_MERGES if subwords else _FORMAT,
        "kind": tokenizer.kind,
        "split_on": tokenizer.split_on,
        "normalization": list(tokenizer.normalization.steps),
        "specials": list(tokenizer.specials),
        "vocabulary": list(tokenizer.vocabulary),
        **({"merges": [" ".join(merge) for merge in tokenizer.merges]} if subwords else {}),
        "written": tokenizer.written.to_json(),
    }


def from_json(value: object) -> dict[str, Any]:
    """Return the arguments of the :class:`Tokenizer` that is in ``value``; raises OptionError if it is not valid."""
    if not isinstance(value, dict):
        raise OptionError(f"a tokenizer is a JSON object, not {type(value).__name__}")
    expected = _WITH_MERGES if value.get("kind") == "bpe" else _FORMAT
    if value.get("version") != expected:
        version = shown(value.get("version"))
        raise OptionError(f"tokenizer version {version} is not {expected}; a newer genrun may read it")
    vocabulary, specials = _texts(value.get("vocabulary")), _texts(value.get("specials"))
    steps = value.get("normalization")
    if vocabulary is None or specials is None or not isinstance(steps, list):
        raise OptionError("a tokenizer needs the lists 'vocabulary', 'specials' and 'normalization'")
    merges = _texts(value.get("merges", []))
    if merges is None or any(merge.count(" ") != 1 for merge in merges):
        raise OptionError("a tokenizer's 'merges' are a list of texts, each of two parts with a space between")
    return {
        "kind": _text(value.get("kind")),
        "split_on": _text(value.get("split_on")),
        "vocabulary": vocabulary,
        "specials": specials,
        "normalization": Normalization(steps),
        "merges": [tuple(merge.split(" ")) for merge in merges],
        "written": WrittenForms.from_json(value.get("written"), len(vocabulary)),
    }


def _text(value: object) -> str:
    """Return ``value`` if it is a text, else its description for a message."""
    return value if isinstance(value, str) else shown(value)


def _texts(value: object) -> list[str] | None:
    """Return ``value`` if it is a list of texts, else None."""
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else None
