"""How a model file generates unless a call says otherwise: the document ``genrun.generation``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from genrun import registry
from genrun.checks.arguments import check_count
from genrun.checks.short_text import shorten
from genrun.loading.metadata_values import Malformed, is_whole, token_ids
from genrun.registry.chain_grammar import Link, spell
from genrun.tokenizer.detokenizer import check_casing

__all__ = ["GenerationDefaults", "check_max_new_tokens"]

_LONGEST = 1_000_000  # new tokens that a call may ask for

# Limits for the values in a file; a call may ask for more.
_LONGEST_BY_DEFAULT = 100_000  # new tokens
_LONGEST_NAME = 200  # characters, of a decoder
_LONGEST_CHAIN = 10_000  # characters, as text
_MOST_STAGES = 64
_MOST_COPIED = 64  # words


@dataclass(frozen=True, slots=True)
class GenerationDefaults:
    """The defaults of a model file for generating.

    ``decoder``: a name, with ``options``, or a chain as text, with none. In JSON, a chain is a list of names and
    options.
    ``max_copied``: the most words in a row that a text may copy from the training text; 0 for any number.
    ``stop_ids``: ids that end a text. ``suppressed_ids``: ids that are never chosen (padding, start, unknown).
    """

    decoder: str = "top-k"
    options: Mapping[str, Any] = field(default_factory=dict)
    max_new_tokens: int = 20
    stop_ids: tuple[int, ...] = ()
    suppressed_ids: tuple[int, ...] = ()
    casing: str = "none"
    max_copied: int = 0

    def __post_init__(self) -> None:
        check_casing(self.casing)
        check_max_new_tokens(self.max_new_tokens)

    def to_json(self) -> dict[str, Any]:
        """Return the defaults as a JSON-ready dictionary, the inverse of :meth:`from_json`."""
        decoder: Any = self.decoder
        if registry.is_chain(decoder):
            decoder = registry.chain_json(registry.make_decoder(decoder))
        return {
            "decoder": decoder,
            "options": dict(self.options),
            "max_new_tokens": self.max_new_tokens,
            "stop_ids": list(self.stop_ids),
            "suppressed_ids": list(self.suppressed_ids),
            "casing": self.casing,
            **({"max_copied": self.max_copied} if self.max_copied else {}),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any], vocabulary: int) -> GenerationDefaults:
        """Return the defaults in the document of a file; raises Malformed or OptionError if they cannot be used."""
        decoder, options = _decoder(value.get("decoder")), value.get("options")
        length = value.get("max_new_tokens")
        if not isinstance(decoder, str) or not isinstance(options, dict) or not is_whole(length):
            raise Malformed("genrun.generation needs 'decoder', 'options' and 'max_new_tokens'")
        if _LONGEST_BY_DEFAULT < length <= _LONGEST:
            raise Malformed(f"genrun.generation asks for {length:,} new tokens; at most {_LONGEST_BY_DEFAULT:,}")
        casing, most = value.get("casing"), value.get("max_copied", 0)
        if not is_whole(most) or not 0 <= most <= _MOST_COPIED:
            raise Malformed(f"genrun.generation: max_copied must be from 0 to {_MOST_COPIED}")
        if len(token_ids(value, "suppressed_ids", vocabulary)) >= vocabulary:
            raise Malformed("genrun.generation suppresses every token")
        return cls(
            decoder=decoder,
            options=MappingProxyType(options),
            max_new_tokens=length,
            stop_ids=token_ids(value, "stop_ids", vocabulary),
            suppressed_ids=token_ids(value, "suppressed_ids", vocabulary),
            casing=casing if isinstance(casing, str) else shorten(repr(casing)),
            max_copied=most,
        )


def _decoder(value: object) -> str | None:
    """Return the decoder of a document as text, None if it is neither a name nor a list of stages."""
    if isinstance(value, str):
        if len(value) > _LONGEST_NAME:
            raise Malformed(f"genrun.generation: the name of its decoder has more than {_LONGEST_NAME} characters")
        return value
    if not isinstance(value, list):
        return None
    if not value or not all(map(_is_stage, value)):
        raise Malformed("genrun.generation: each stage of its decoder needs a 'name' and 'options'")
    text = spell([Link(stage["name"], stage["options"]) for stage in value])
    if len(value) > _MOST_STAGES or len(text) > _LONGEST_CHAIN:
        raise Malformed(f"genrun.generation: its decoder has more than {_MOST_STAGES} stages, or is too long")
    return text


def _is_stage(stage: object) -> bool:
    return (
        isinstance(stage, dict)
        and isinstance(name := stage.get("name"), str)
        and re.fullmatch(r"[^\s,;=\"]{1,200}", name) is not None
        and isinstance(options := stage.get("options"), dict)
        and all(map(_is_option, options.items()))
    )


def _is_option(option: tuple[str, object]) -> bool:
    name, value = option
    if isinstance(value, list):
        return name.isidentifier() and all(isinstance(part, str) for part in value)
    return name.isidentifier() and (value is None or isinstance(value, (str, int, float)))


def check_max_new_tokens(value: int) -> int:
    """Return ``value`` if a text may have this number of new tokens; raises OptionError otherwise."""
    return check_count("max_new_tokens", value, most=_LONGEST)
