"""Training small real models in-process, and reading what a training left."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from genrun_core.recipes.recipe import load_recipe

__all__ = ["learnt", "metrics", "train", "weights"]


def train(
    sources: Sequence[Path | str],
    recipe: str,
    output: Path,
    settings: Mapping[str, str] | None = None,
    *,
    drawn: bool = False,
) -> Path:
    """Train and return the run folder. Unless ``drawn``, its picture of the losses is an empty file, to save time."""
    from genrun_core.training import fit
    from genrun_core.training.train import train as train_model

    with pytest.MonkeyPatch.context() as patch:
        if not drawn:
            patch.setattr(fit, "draw_curves", lambda history, path, **about: path.write_bytes(b""))
        return train_model([str(source) for source in sources], load_recipe(recipe, settings), output).path


def weights(run: Path) -> list[bytes]:
    """Return the weights of the run's network, to the bit."""
    from genrun_core.network.architecture import load_network

    return [array.tobytes() for array in load_network(run / "model.keras").get_weights()]


def metrics(run: Path) -> list[dict[str, str]]:
    """Return the metrics of every epoch."""
    with (run / "metrics.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def learnt(run: Path) -> list[tuple[str, ...]]:
    """Return the metrics of every epoch, the times aside."""
    return [tuple(value for name, value in row.items() if "second" not in name) for row in metrics(run)]
