"""Training small real models in-process, and reading what a training left."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from genrun_core.recipes.recipe import load_recipe

__all__ = ["learnt", "metrics", "train", "weights"]


def train(
    sources: Sequence[Path | str], recipe: str, output: Path, settings: Mapping[str, str] | None = None
) -> Path:
    """Train and return the run folder."""
    from genrun_core.training.train import train as train_model

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
