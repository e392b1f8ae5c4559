"""How a model file generates unless a call says otherwise: the document ``genrun.generation``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from genrun.checks.arguments import check_count
from genrun.checks.short_text import shorten
from genrun.loading.metadata_values import Malformed, is_whole, token_ids
from genrun.tokenizer.detokenizer import check_casing

__all__ = ["GenerationDefaults", "check_max_new_tokens"]

_LONGEST = 1_000_000  # new tokens that a call may ask for

# Limits for the values in a file; a call may ask for more.
_LONGEST_BY_DEFAULT = 100_000  # new tokens
_LONGEST_NAME = 200  # characters, of a decoder


@dataclass(frozen=True, slots=True)
class GenerationDefaults:
    """The defaults of a model file for generating.

    ``stop_ids``: ids that end a text. ``suppressed_ids``: ids that are never chosen (padding, start, unknown).
    """

    decoder: str = "top-k"
    options: Mapping[str, Any] = field(default_factory=dict)
    max_new_tokens: int = 20
    stop_ids: tuple[int, ...] = ()
    suppressed_ids: tuple[int, ...] = ()
    casing: str = "none"

    def __post_init__(self) -> None:
        check_casing(self.casing)
        check_max_new_tokens(self.max_new_tokens)

    def to_json(self) -> dict[str, Any]:
        """Return the defaults as a JSON-ready dictionary, the inverse of :meth:`from_json`."""
        return {
            "decoder": self.decoder,
            "options": dict(self.options),
            "max_new_tokens": self.max_new_tokens,
            "stop_ids": list(self.stop_ids),
            "suppressed_ids": list(self.suppressed_ids),
            "casing": self.casing,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any], vocabulary: int) -> GenerationDefaults:
        """Return the defaults in the document of a file; raises Malformed or OptionError if they cannot be used."""
        decoder, options = value.get("decoder"), value.get("options")
        length = value.get("max_new_tokens")
        if not isinstance(decoder, str) or not isinstance(options, dict) or not is_whole(length):
            raise Malformed("genrun.generation needs 'decoder', 'options' and 'max_new_tokens'")
        if len(decoder) > _LONGEST_NAME:
            raise Malformed(f"genrun.generation: the name of its decoder has more than {_LONGEST_NAME} characters")
        if _LONGEST_BY_DEFAULT < length <= _LONGEST:
            raise Malformed(f"genrun.generation asks for {length:,} new tokens; at most {_LONGEST_BY_DEFAULT:,}")
        casing = value.get("casing")
        if len(token_ids(value, "suppressed_ids", vocabulary)) >= vocabulary:
            raise Malformed("genrun.generation suppresses every token")
        return cls(
            decoder=decoder,
            options=MappingProxyType(options),
            max_new_tokens=length,
            stop_ids=token_ids(value, "stop_ids", vocabulary),
            suppressed_ids=token_ids(value, "suppressed_ids", vocabulary),
            casing=casing if isinstance(casing, str) else shorten(repr(casing)),
        )


def check_max_new_tokens(value: int) -> int:
    """Return ``value`` if a text may have this number of new tokens; raises OptionError otherwise."""
    return check_count("max_new_tokens", value, most=_LONGEST)
