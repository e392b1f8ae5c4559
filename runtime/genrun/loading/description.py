"""Describes a model file for ``genrun info``: card, file, defaults and verification in one dictionary."""

from __future__ import annotations

from typing import Any

from genrun.model import Model

__all__ = ["describe_model"]


def describe_model(model: Model) -> dict[str, dict[str, Any]]:
    """Return sections with JSON-ready values: model, those of the card, file, tokenizer, generation, verification.

    A quantized file also has the section quantization.
    """
    tokenizer, defaults = model.tokenizer, model.defaults
    sections: dict[str, dict[str, Any]] = {
        "file": {"path": str(model.path), "bytes": model.path.stat().st_size, "digest": model.digest},
        "tokenizer": {
            "kind": tokenizer.kind,
            "vocabulary": len(tokenizer),
            "special tokens": [tokenizer.vocabulary[i] for i in range(len(tokenizer.specials))],
        },
        "generation": {
            "decoder": defaults.decoder,
            "options": dict(defaults.options),
            "max_new_tokens": defaults.max_new_tokens,
            "stops at": [tokenizer.vocabulary[i] for i in defaults.stop_ids],
            "casing": defaults.casing,
        },
        "verification": {**model.verification.figures, "golden texts": len(model.verification.golden)},
    }
    if model.verification.quantization:
        sections["quantization"] = dict(model.verification.quantization)
    general = {name: value for name, value in model.card.items() if not isinstance(value, dict)}
    cards = {name: dict(value) for name, value in model.card.items() if isinstance(value, dict)}
    return {"model": general, **cards, **sections}
