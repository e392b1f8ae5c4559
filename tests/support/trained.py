"""Training small real models in-process, and reading what a training left."""

from __future__ import annotations

import csv
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from genrun_core.counting.counting_file import load_mixed
from genrun_core.counting.mixed import Mixed
from genrun_core.recipes.recipe import load_recipe
from genrun_core.runs.run_folder import RunFolder

__all__ = ["copy_of_trained", "learnt", "metrics", "mixed_of", "train", "weights"]

_KEPT: dict[str, Path] = {}
_FOLDER = tempfile.TemporaryDirectory(prefix="genrun-trained-")


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


def copy_of_trained(
    sources: Sequence[Path | str], recipe: str, output: Path, settings: Mapping[str, str] | None = None
) -> Path:
    """Return a run folder as `train` makes it, a copy of one that this process has trained before if it has.

    For a test that begins with a trained run; not for one about training.
    """
    asked = repr(([str(source) for source in sources], recipe, settings))
    if asked not in _KEPT:
        _KEPT[asked] = train(sources, recipe, Path(_FOLDER.name) / str(len(_KEPT)), settings)
    return shutil.copytree(_KEPT[asked], output)


def weights(run: Path) -> list[bytes]:
    """Return the weights of the run's network, to the bit."""
    from support.keras_files import load_network

    return [array.tobytes() for array in load_network(run / "model.keras").get_weights()]


def metrics(run: Path) -> list[dict[str, str]]:
    """Return the metrics of every epoch."""
    with (run / "metrics.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def learnt(run: Path) -> list[tuple[str, ...]]:
    """Return the metrics of every epoch, the times aside."""
    return [tuple(value for name, value in row.items() if "second" not in name) for row in metrics(run)]


def mixed_of(run: Path) -> Mixed:
    """Return what is mixed with the network of a run."""
    folder = RunFolder.open(run)
    found = load_mixed(folder, folder.recipe(), folder.tokenizer(), folder.card()["training"]["weights"])
    assert found is not None
    return found
