"""The JSON documents of a model file: their meaning, and the checks when they are read.

They are in the ONNX ``metadata_props`` and hold no pickle, patterns, paths or code, so opening a stranger's file is
safe. ``docs/model-file.md`` describes the layout.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeGuard

from genrun.checks.arguments import check_count
from genrun.checks.json_text import read_json
from genrun.checks.short_text import shorten
from genrun.errors import ModelFileError, OptionError, one_line
from genrun.loading.graph.properties import DIGEST
from genrun.tokenizer import Tokenizer
from genrun.tokenizer.detokenizer import check_casing

__all__ = [
    "FORMAT_VERSION",
    "LOGIT_TOLERANCE",
    "GenerationDefaults",
    "GoldenText",
    "Metadata",
    "Verification",
    "check_max_new_tokens",
]

FORMAT_VERSION = 1
LOGIT_TOLERANCE = 5e-3  # between machines and devices, on logits of the order of ten
_PREFIX = "genrun."
_LONGEST = 1_000_000  # new tokens that a call may ask for

# Limits for the values in a file; a call may ask for more.
_LONGEST_BY_DEFAULT = 100_000  # new tokens
_MOST_GOLDEN = 1_024  # golden texts
_MOST_GOLDEN_IDS = 100_000  # in all of them together, prompts included
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


@dataclass(frozen=True, slots=True)
class GoldenText:
    """A greedy generation recorded at export: ``prompt`` → ``prompt_ids`` → ``new_ids`` → ``text``.

    ``logits``: pairs of token id and logit, the highest logits after the prompt.
    """

    prompt: str
    prompt_ids: tuple[int, ...]
    new_ids: tuple[int, ...]
    text: str
    logits: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class Verification:
    """What the export measured: ``figures`` of its parity gate, and ``golden`` texts that any runtime must reproduce.

    ``quantization``: the figures of the quantization gate. ``logit_tolerance``: how far the logits of the golden
    texts may differ on another machine.
    """

    figures: Mapping[str, Any] = field(default_factory=dict)
    golden: tuple[GoldenText, ...] = ()
    quantization: Mapping[str, Any] = field(default_factory=dict)
    logit_tolerance: float = LOGIT_TOLERANCE


@dataclass(frozen=True, slots=True)
class Metadata:
    """All documents of a model file; ``digest`` is empty for a file without one."""

    tokenizer: Tokenizer
    generation: GenerationDefaults
    card: Mapping[str, Any]
    verification: Verification
    digest: str = ""

    def to_properties(self) -> dict[str, str]:
        """Return the ``metadata_props`` of the ONNX file: JSON texts by key."""
        generation, verification = self.generation, self.verification
        further: dict[str, Any] = {}  # of a quantized file
        if verification.quantization:
            further["quantization"] = dict(verification.quantization)
        if verification.logit_tolerance != LOGIT_TOLERANCE:
            further["logit_tolerance"] = verification.logit_tolerance
        documents: dict[str, Any] = {
            "format_version": FORMAT_VERSION,
            "tokenizer": self.tokenizer.to_json(),
            "generation": {
                "decoder": generation.decoder,
                "options": dict(generation.options),
                "max_new_tokens": generation.max_new_tokens,
                "stop_ids": list(generation.stop_ids),
                "suppressed_ids": list(generation.suppressed_ids),
                "casing": generation.casing,
            },
            "card": dict(self.card),
            "verification": {
                "figures": dict(verification.figures),
                "golden": [
                    {
                        "prompt": text.prompt,
                        "prompt_ids": list(text.prompt_ids),
                        "new_ids": list(text.new_ids),
                        "text": text.text,
                        "logits": [list(pair) for pair in text.logits],
                    }
                    for text in verification.golden
                ],
                **further,
            },
        }
        return {
            _PREFIX + key: json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            for key, value in documents.items()
        }

    @classmethod
    def from_properties(cls, properties: Mapping[str, str], *, path: str) -> Metadata:
        """Read and check the ``metadata_props`` of the file at ``path``; raises ModelFileError.

        Unknown keys are ignored; a newer format version is refused.
        """
        _check_version(properties, path)
        try:
            tokenizer = Tokenizer.from_json(_document(properties, "tokenizer"))
            return cls(
                tokenizer=tokenizer,
                generation=_generation(_document(properties, "generation"), len(tokenizer)),
                card=MappingProxyType(_document(properties, "card")),
                verification=_verification(_document(properties, "verification"), len(tokenizer)),
                digest=properties.get(DIGEST, ""),
            )
        except (OptionError, _Malformed) as error:
            raise ModelFileError(f"{path}: {one_line(error)}") from error


def check_max_new_tokens(value: int) -> int:
    """Return ``value`` if a text may have this number of new tokens; raises OptionError otherwise."""
    return check_count("max_new_tokens", value, most=_LONGEST)


class _Malformed(Exception):
    """A metadata document does not have its shape."""


def _check_version(properties: Mapping[str, str], path: str) -> None:
    text = properties.get(_PREFIX + "format_version")
    if text is None:
        raise ModelFileError(f"{path} is an ONNX file, but not one that genrun exported: it has no genrun metadata")
    if not (text.isascii() and text.isdecimal()) or len(text) > 9 or int(text) < 1:
        raise ModelFileError(f"{path}: genrun.format_version is {shorten(text)!r}, not a whole number from 1")
    if int(text) > FORMAT_VERSION:
        raise ModelFileError(
            f"{path} has model format {text}; this genrun reads formats up to {FORMAT_VERSION}: "
            "pip install --upgrade genrun"
        )


def _document(properties: Mapping[str, str], key: str) -> dict[str, Any]:
    text = properties.get(_PREFIX + key)
    if text is None:
        raise _Malformed(f"genrun.{key} is missing")
    try:
        value = read_json(text)
    except (ValueError, RecursionError) as error:
        raise _Malformed(f"genrun.{key} is not valid JSON: {shorten(one_line(error), 200)}") from error
    if not isinstance(value, dict):
        raise _Malformed(f"genrun.{key} must be a JSON object")
    return value


def _generation(value: dict[str, Any], vocabulary: int) -> GenerationDefaults:
    decoder, options = value.get("decoder"), value.get("options")
    length = value.get("max_new_tokens")
    if not isinstance(decoder, str) or not isinstance(options, dict) or not _is_int(length):
        raise _Malformed("genrun.generation needs 'decoder', 'options' and 'max_new_tokens'")
    if len(decoder) > _LONGEST_NAME:
        raise _Malformed(f"genrun.generation: the name of its decoder has more than {_LONGEST_NAME} characters")
    if _LONGEST_BY_DEFAULT < length <= _LONGEST:
        raise _Malformed(f"genrun.generation asks for {length:,} new tokens; at most {_LONGEST_BY_DEFAULT:,}")
    casing = value.get("casing")
    if len(_ids(value, "suppressed_ids", vocabulary)) >= vocabulary:
        raise _Malformed("genrun.generation suppresses every token")
    return GenerationDefaults(
        decoder=decoder,
        options=MappingProxyType(options),
        max_new_tokens=length,
        stop_ids=_ids(value, "stop_ids", vocabulary),
        suppressed_ids=_ids(value, "suppressed_ids", vocabulary),
        casing=casing if isinstance(casing, str) else shorten(repr(casing)),
    )


def _verification(value: dict[str, Any], vocabulary: int) -> Verification:
    figures, golden = value.get("figures"), value.get("golden")
    if not isinstance(figures, dict) or not isinstance(golden, list):
        raise _Malformed("genrun.verification needs 'figures' and 'golden'")
    quantization, tolerance = value.get("quantization", {}), value.get("logit_tolerance", LOGIT_TOLERANCE)
    if not isinstance(quantization, dict):
        raise _Malformed("genrun.verification: 'quantization' must be a JSON object")
    if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)) or not 0 < tolerance <= 1:
        raise _Malformed("genrun.verification: 'logit_tolerance' must be a number above 0, up to 1")
    if len(golden) > _MOST_GOLDEN:
        raise _Malformed(f"genrun.verification has {len(golden):,} golden texts; at most {_MOST_GOLDEN:,} are read")
    texts = tuple(_golden(item, vocabulary) for item in golden)
    ids = sum(len(text.prompt_ids) + len(text.new_ids) for text in texts)
    if ids > _MOST_GOLDEN_IDS:
        raise _Malformed(
            f"genrun.verification has {ids:,} ids in golden texts; at most {_MOST_GOLDEN_IDS:,} are read"
        )
    return Verification(figures, texts, quantization, float(tolerance))


def _golden(value: object, vocabulary: int) -> GoldenText:
    if not isinstance(value, dict) or not all(isinstance(value.get(key), str) for key in ("prompt", "text")):
        raise _Malformed("genrun.verification: a golden text needs 'prompt' and 'text'")
    prompt_ids, new_ids = _ids(value, "prompt_ids", vocabulary), _ids(value, "new_ids", vocabulary)
    if not prompt_ids:
        raise _Malformed("genrun.verification: a golden text begins from at least one token")
    return GoldenText(value["prompt"], prompt_ids, new_ids, value["text"], _logits(value.get("logits"), vocabulary))


def _logits(value: object, vocabulary: int) -> tuple[tuple[int, float], ...]:
    pairs = value if isinstance(value, list) else []
    for pair in pairs:
        fits = isinstance(pair, list) and len(pair) == 2 and _is_int(pair[0]) and 0 <= pair[0] < vocabulary
        if not fits or isinstance(pair[1], bool) or not isinstance(pair[1], (int, float)) or not abs(pair[1]) <= 1e38:
            pairs = []
            break
    if not pairs:
        raise _Malformed("genrun.verification: a golden text needs 'logits', a list of pairs of token id and logit")
    return tuple((token, float(logit)) for token, logit in pairs)


def _ids(value: dict[str, Any], key: str, vocabulary: int) -> tuple[int, ...]:
    ids = value.get(key)
    if not isinstance(ids, list) or not all(_is_int(i) and i >= 0 for i in ids):
        raise _Malformed(f"{key!r} must be a list of token ids")
    if any(i >= vocabulary for i in ids):
        raise _Malformed(f"{key!r} names a token outside the vocabulary of {vocabulary}")
    return tuple(ids)


def _is_int(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
