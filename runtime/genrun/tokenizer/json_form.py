"""A tokenizer as JSON, as a run folder and a model file keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genrun.checks.short_text import shown
from genrun.errors import OptionError
from genrun.tokenizer.labels import Labels
from genrun.tokenizer.normalization import Normalization
from genrun.tokenizer.words.written_forms import WrittenForms

if TYPE_CHECKING:
    from genrun.tokenizer.tokenizer import Tokenizer

__all__ = ["arguments", "from_json", "to_json"]

_FORMAT = 1
_WITH_MERGES = 2  # the format of subwords, which a genrun that knows no merges must refuse
_WITH_LINES = 3  # the format of line breaks as tokens, likewise
_WITH_LABELS = 4


def to_json(tokenizer: Tokenizer) -> dict[str, Any]:
    """Return ``tokenizer`` as a JSON-ready dictionary."""
    subwords = tokenizer.kind == "bpe"
    lines: dict[str, Any] = {"line_breaks": True} if tokenizer.line_breaks else {}
    lines |= {"end_text": tokenizer.end_text} if tokenizer.end_text else {}
    return {
        "version": _version(tokenizer.kind, bool(lines), bool(tokenizer.labels)),
        "kind": tokenizer.kind,
        "split_on": tokenizer.split_on,
        "normalization": list(tokenizer.normalization.steps),
        "specials": list(tokenizer.specials),
        "vocabulary": list(tokenizer.vocabulary),
        **({"merges": [" ".join(merge) for merge in tokenizer.merges]} if subwords else {}),
        **lines,
        **tokenizer.labels.to_json(),
        "written": tokenizer.written.to_json(),
    }


def arguments(tokenizer: Tokenizer) -> dict[str, Any]:
    """Return the arguments that make ``tokenizer``."""
    names = "kind", "split_on", "vocabulary", "specials", "normalization", "merges", "line_breaks", "end_text"
    return {name: getattr(tokenizer, name) for name in (*names, "labels", "written")}


def from_json(value: object) -> dict[str, Any]:
    """Return the arguments of the :class:`Tokenizer` that is in ``value``; raises OptionError if it is not valid."""
    if not isinstance(value, dict):
        raise OptionError(f"a tokenizer is a JSON object, not {type(value).__name__}")
    line_breaks, end_text = value.get("line_breaks", False), value.get("end_text", "")
    expected = _version(value.get("kind"), bool(line_breaks or end_text), value.get("labels") is not None)
    if value.get("version") != expected:
        version = shown(value.get("version"))
        raise OptionError(f"tokenizer version {version} is not {expected}; a newer genrun may read it")
    if not isinstance(line_breaks, bool):
        raise OptionError("a tokenizer's 'line_breaks' are true or false")
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
        "line_breaks": line_breaks,
        "end_text": end_text,
        "labels": Labels.from_json(value.get("labels")),
        "written": WrittenForms.from_json(value.get("written"), len(vocabulary)),
    }


def _version(kind: object, lines: bool, labels: bool) -> int:
    return _WITH_LABELS if labels else _WITH_LINES if lines else _WITH_MERGES if kind == "bpe" else _FORMAT


def _text(value: object) -> str:
    """Return ``value`` if it is a text, else its description for a message."""
    return value if isinstance(value, str) else shown(value)


def _texts(value: object) -> list[str] | None:
    """Return ``value`` if it is a list of texts, else None."""
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else None
