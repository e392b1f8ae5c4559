"""The JSON documents of a model file: their meaning, and the checks when they are read.

They are in the ONNX ``metadata_props`` and hold no pickle, patterns, paths or code, so opening a stranger's file is
safe. ``docs/model-file.md`` describes the layout.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from genrun.checks.json_text import read_json
from genrun.checks.short_text import shorten
from genrun.errors import ModelFileError, OptionError, one_line
from genrun.loading.generation_defaults import GenerationDefaults
from genrun.loading.graph.properties import DIGEST, PREFIX
from genrun.loading.metadata_values import Malformed
from genrun.loading.originality import TrainingRuns
from genrun.loading.recorded_checks import Verification
from genrun.tokenizer import Tokenizer

__all__ = ["FORMAT_VERSION", "Metadata"]

FORMAT_VERSION = 1
_ORIGINALITY = f"{PREFIX}originality"


@dataclass(frozen=True, slots=True)
class Metadata:
    """All documents of a model file; ``digest`` is empty for a file without one.

    ``training_runs``: what the file knows of its training text, which is read when it is first needed; None if
    nothing.
    """

    tokenizer: Tokenizer
    generation: GenerationDefaults
    card: Mapping[str, Any]
    verification: Verification
    digest: str = ""
    training_runs: TrainingRuns | None = None

    def to_properties(self) -> dict[str, str]:
        """Return the ``metadata_props`` of the ONNX file: JSON texts by key."""
        documents: dict[str, Any] = {
            "format_version": FORMAT_VERSION,
            "tokenizer": self.tokenizer.to_json(),
            "generation": self.generation.to_json(),
            "card": dict(self.card),
            "verification": self.verification.to_json(),
        }
        runs = {} if self.training_runs is None else {_ORIGINALITY: self.training_runs.document}
        return {
            PREFIX + key: json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            for key, value in documents.items()
        } | runs

    @classmethod
    def from_properties(cls, properties: Mapping[str, str], *, path: str) -> Metadata:
        """Read and check the ``metadata_props`` of the file at ``path``; raises ModelFileError.

        Unknown keys are ignored; a newer format version is refused.
        """
        _check_version(properties, path)
        try:
            tokenizer = Tokenizer.from_json(_document(properties, "tokenizer"))
            runs = properties.get(_ORIGINALITY)
            return cls(
                tokenizer=tokenizer,
                generation=GenerationDefaults.from_json(_document(properties, "generation"), len(tokenizer)),
                card=MappingProxyType(_document(properties, "card")),
                verification=Verification.from_json(_document(properties, "verification"), len(tokenizer)),
                digest=properties.get(DIGEST, ""),
                training_runs=TrainingRuns(runs, tokenizer, path) if runs is not None else None,
            )
        except (OptionError, Malformed) as error:
            raise ModelFileError(f"{path}: {one_line(error)}") from error


def _check_version(properties: Mapping[str, str], path: str) -> None:
    text = properties.get(PREFIX + "format_version")
    if text is None:
        raise ModelFileError(f"{path} is an ONNX file, but not one that genrun exported: it has no genrun metadata")
    if not (text.isascii() and text.isdecimal()) or len(text) > 9 or int(text) < 1:
        raise ModelFileError(f"{path}: genrun.format_version is {shorten(text)!r}, not a whole number from 1")
    if int(text) > FORMAT_VERSION:
        from genrun.checks.installation import upgrade_line

        raise ModelFileError(
            f"{path} has model format {text}; this genrun reads formats up to {FORMAT_VERSION}: {upgrade_line()}"
        )


def _document(properties: Mapping[str, str], key: str) -> dict[str, Any]:
    text = properties.get(PREFIX + key)
    if text is None:
        raise Malformed(f"genrun.{key} is missing")
    try:
        value = read_json(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"genrun.{key} is not valid JSON: {shorten(one_line(error), 200)}") from error
    if not isinstance(value, dict):
        raise Malformed(f"genrun.{key} must be a JSON object")
    return value
