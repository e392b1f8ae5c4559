"""What the export measured, and the texts that any runtime must reproduce: the document ``genrun.verification``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from genrun.loading.metadata_values import Malformed, is_whole, token_ids

__all__ = ["LOGIT_TOLERANCE", "GoldenText", "Verification"]

LOGIT_TOLERANCE = 5e-3  # between machines and devices, on logits of the order of ten

# Limits for the values in a file.
_MOST_GOLDEN = 1_024  # golden texts
_MOST_GOLDEN_IDS = 100_000  # in all of them together, prompts included

_NONE: Mapping[str, Any] = {}


class GoldenText(NamedTuple):
    """A greedy generation recorded at export: ``prompt`` → ``prompt_ids`` → ``new_ids`` → ``text``.

    ``logits``: pairs of token id and logit, the highest logits after the prompt.
    """

    prompt: str
    prompt_ids: tuple[int, ...]
    new_ids: tuple[int, ...]
    text: str
    logits: tuple[tuple[int, float], ...]

    def to_json(self) -> dict[str, Any]:
        """Return the text as a JSON-ready dictionary, the inverse of :meth:`from_json`."""
        return {
            "prompt": self.prompt,
            "prompt_ids": list(self.prompt_ids),
            "new_ids": list(self.new_ids),
            "text": self.text,
            "logits": [list(pair) for pair in self.logits],
        }

    @classmethod
    def from_json(cls, value: object, vocabulary: int) -> GoldenText:
        """Return a text of the document of a file; raises Malformed."""
        if not isinstance(value, dict) or not all(isinstance(value.get(key), str) for key in ("prompt", "text")):
            raise Malformed("genrun.verification: a golden text needs 'prompt' and 'text'")
        prompt_ids, new_ids = token_ids(value, "prompt_ids", vocabulary), token_ids(value, "new_ids", vocabulary)
        if not prompt_ids:
            raise Malformed("genrun.verification: a golden text begins from at least one token")
        return cls(value["prompt"], prompt_ids, new_ids, value["text"], _logits(value.get("logits"), vocabulary))


class Verification(NamedTuple):
    """What the export measured: ``figures`` of its parity gate, and ``golden`` texts that any runtime must reproduce.

    ``quantization``: the figures of the quantization gate. ``logit_tolerance``: how far the logits of the golden
    texts may differ on another machine.
    """

    figures: Mapping[str, Any] = _NONE
    golden: tuple[GoldenText, ...] = ()
    quantization: Mapping[str, Any] = _NONE
    logit_tolerance: float = LOGIT_TOLERANCE

    def to_json(self) -> dict[str, Any]:
        """Return the figures and texts as a JSON-ready dictionary, the inverse of :meth:`from_json`."""
        document: dict[str, Any] = {"figures": dict(self.figures), "golden": [text.to_json() for text in self.golden]}
        if self.quantization:
            document["quantization"] = dict(self.quantization)
        if self.logit_tolerance != LOGIT_TOLERANCE:
            document["logit_tolerance"] = self.logit_tolerance
        return document

    @classmethod
    def from_json(cls, value: dict[str, Any], vocabulary: int) -> Verification:
        """Return what the document of a file says; raises Malformed."""
        figures, golden = value.get("figures"), value.get("golden")
        if not isinstance(figures, dict) or not isinstance(golden, list):
            raise Malformed("genrun.verification needs 'figures' and 'golden'")
        quantization, tolerance = value.get("quantization", {}), value.get("logit_tolerance", LOGIT_TOLERANCE)
        if not isinstance(quantization, dict):
            raise Malformed("genrun.verification: 'quantization' must be a JSON object")
        if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)) or not 0 < tolerance <= 1:
            raise Malformed("genrun.verification: 'logit_tolerance' must be a number above 0, up to 1")
        if len(golden) > _MOST_GOLDEN:
            raise Malformed(
                f"genrun.verification has {len(golden):,} golden texts; at most {_MOST_GOLDEN:,} are read"
            )
        texts = tuple(GoldenText.from_json(item, vocabulary) for item in golden)
        ids = sum(len(text.prompt_ids) + len(text.new_ids) for text in texts)
        if ids > _MOST_GOLDEN_IDS:
            raise Malformed(
                f"genrun.verification has {ids:,} ids in golden texts; at most {_MOST_GOLDEN_IDS:,} are read"
            )
        return cls(figures, texts, quantization, float(tolerance))


def _logits(value: object, vocabulary: int) -> tuple[tuple[int, float], ...]:
    pairs = value if isinstance(value, list) else []
    for pair in pairs:
        fits = isinstance(pair, list) and len(pair) == 2 and is_whole(pair[0]) and 0 <= pair[0] < vocabulary
        if not fits or isinstance(pair[1], bool) or not isinstance(pair[1], (int, float)) or not abs(pair[1]) <= 1e38:
            pairs = []
            break
    if not pairs:
        raise Malformed("genrun.verification: a golden text needs 'logits', a list of pairs of token id and logit")
    return tuple((token, float(logit)) for token, logit in pairs)
