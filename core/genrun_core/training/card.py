"""The card of a run folder, which describes its model, and the lines of a training about its network."""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from genrun_core.corpus.counts import CorpusCounts
from genrun_core.recipes.recipe import Recipe
from genrun_core.runs.run_folder import RunFolder

if TYPE_CHECKING:
    from genrun_core.training.stepping.training_loop import Fitting

__all__ = ["card_of", "make_card", "metrics_csv", "metrics_in_words", "shape_in_words"]


def make_card(
    run: RunFolder, recipe: Recipe, counts: CorpusCounts, fitting: Fitting, best: dict[str, Any]
) -> dict[str, Any]:
    """Return the card of the best epoch."""
    row = fitting.history[best["epoch"] - 1]
    model = recipe.model.to_table()
    if not recipe.model.counting:
        del model["order"], model["counting"]
    if "window" not in recipe.model.plugin.uses:
        del model["window"]
    architecture = {**model, "parameters": fitting.network.count_params()}
    figures = {"epochs": fitting.epoch, "best epoch": best["epoch"], **row}
    return card_of(run, recipe, counts, architecture, figures, best["weights"])


def card_of(
    run: RunFolder,
    recipe: Recipe,
    counts: CorpusCounts,
    architecture: Mapping[str, Any],
    figures: Mapping[str, float],
    weights: str,
) -> dict[str, Any]:
    """Return the card of a model; ``figures`` are those of its training, of which times and speeds are left out."""
    kept = {name: value for name, value in figures.items() if "seconds" not in name and "_per_" not in name}
    return {
        "recipe": recipe.name,
        "description": recipe.description,
        "licence": recipe.card.licence,
        "source": recipe.card.source,
        **({} if (base := run.base_card()) is None else {"fine-tuned from": base}),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "architecture": dict(architecture),
        "corpus": {name: value for name, value in counts.to_json().items() if name != "sources_fingerprint"},
        "training": {
            **{name: round(value, 6) for name, value in kept.items()},
            "running text": recipe.training.running_text,
            "seed": recipe.training.seed,
            "weights": weights,
        },
        "versions": dict(run.settings["versions"]),
    }


def shape_in_words(recipe: Recipe) -> str:
    """Return the kind and size of the network."""
    return recipe.model.plugin.describe(recipe.model)


def metrics_in_words(row: Mapping[str, float]) -> str:
    """Return the losses of an epoch."""
    names = [name for name in ("loss", "val_loss", "val_perplexity", "val_known_perplexity") if name in row]
    return ", ".join(f"{name} {row[name]:.4f}" for name in names)


def metrics_csv(history: Sequence[Mapping[str, float]]) -> bytes:
    """Return the file of metrics, a row for each epoch."""
    text = io.StringIO()
    columns = list(dict.fromkeys(name for row in history for name in row))
    writer = csv.DictWriter(text, ["epoch", *columns], lineterminator="\n")
    writer.writeheader()
    writer.writerows({"epoch": number, **row} for number, row in enumerate(history, 1))
    return text.getvalue().encode()
