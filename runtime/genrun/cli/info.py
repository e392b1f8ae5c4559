"""``genrun info``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from genrun.cli.options.opening import trust_option

if TYPE_CHECKING:
    from genrun.model import Model

__all__ = ["command", "describe_model"]


@click.command("info")
@click.argument("model_file", metavar="MODEL", type=str)
@click.option("--json", "as_json", is_flag=True, help="One JSON object, with everything.")
@trust_option
def command(model_file: str, as_json: bool, trust: str) -> None:
    """Show what MODEL records about itself: its card, its defaults, and how its export was verified."""
    from genrun.cli.info_page import page
    from genrun.cli.io.output import show, show_json
    from genrun.model import load

    described = describe_model(load(model_file, device="cpu", trust=trust))
    if as_json:
        show_json(described)
    else:
        show(*page(described))


def describe_model(model: Model) -> dict[str, dict[str, Any]]:
    """Return sections of names and JSON-ready values: model, tokenizer, generation, verification, and the card's.

    A quantized file has one more, quantization.
    """
    tokenizer, defaults = model.tokenizer, model.defaults
    sections: dict[str, dict[str, Any]] = {
        "file": {"path": str(model.path), "bytes": model.size, "digest": model.digest},
        "tokenizer": {
            "kind": tokenizer.kind,
            "vocabulary": len(tokenizer),
            "special tokens": [tokenizer.vocabulary[i] for i in range(len(tokenizer.specials))],
        },
        **(
            {"labels": {label.name: list(label.values) for label in tokenizer.labels.all}} if tokenizer.labels else {}
        ),
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
