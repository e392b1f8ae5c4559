"""Saving and loading ``model.keras``.

The recipe says what network it holds, the file gives the weights and nothing else. So nothing that a damaged or
foreign file says about layers and sizes is ever built.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped]  # Keras brings it
import keras

from genrun.errors import RunFolderError, one_line
from genrun.tokenizer import Tokenizer
from genrun_core.network.architecture import build_network, count_parameters
from genrun_core.recipes.recipe import Recipe
from genrun_core.recipes.sections import ModelSettings
from genrun_core.runs.atomic import replacing, scratch_folder
from genrun_core.runs.digests import check_archive, seal
from genrun_core.runs.run_files import require_file
from genrun_core.runs.run_folder import RunFolder

__all__ = ["check_network", "load_network", "load_network_of", "save_network"]

_WEIGHTS = "model.weights.h5"
_OVERHEAD = 1 << 22  # bytes of a file of weights that are no weights: names, sizes, the seeds of dropout
_DAMAGES = (OSError, ValueError, TypeError, LookupError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile)


def save_network(network: keras.Model, path: Path) -> None:
    """Write what ``network.save`` writes, sealed, without an optimizer.

    One array at a time is in memory; Keras would have all.
    """
    with _without_optimizer(network), scratch_folder(path) as folder, replacing(path) as beside:
        try:
            network.save(folder, zipped=False)
        except RuntimeError as error:  # what h5py makes of a full disk
            raise OSError(errno.EIO, one_line(error), str(path)) from error
        with zipfile.ZipFile(beside, "w") as archive:
            for part in sorted(folder.rglob("*")):
                archive.write(part, part.relative_to(folder))
        seal(beside)


@contextlib.contextmanager
def _without_optimizer(network: keras.Model) -> Iterator[None]:
    """Take a network's optimizer, which Keras would save with it, away for a while."""
    optimizer = getattr(network, "optimizer", None)
    network.optimizer = None
    try:
        yield
    finally:
        network.optimizer = optimizer


def load_network_of(run: RunFolder, recipe: Recipe, tokenizer: Tokenizer) -> keras.Model:
    """Return the best network of a run; raises RunFolderError if there is none yet, or it is damaged."""
    if not run.network_file.exists():
        raise RunFolderError(f"{run.path} has no trained network yet: genrun train --resume {run.path}")
    return load_network(run.network_file, recipe.model, len(tokenizer))


def load_network(path: Path, settings: ModelSettings, vocabulary: int) -> keras.Model:
    """Return the network of ``settings`` with the weights in ``path``, without dropout.

    Raises RunFolderError if the file is damaged or holds weights of other shapes.
    """
    check_network(path, settings, vocabulary)
    plain = dataclasses.replace(
        settings, dropout=0.0, input_dropout=0.0, recurrent_dropout=0.0, embedding_dropout=0.0
    )
    network = build_network(plain, vocabulary, blank=True)
    try:
        with tempfile.TemporaryDirectory() as folder:  # within an archive, a seek reads all that it passes
            with zipfile.ZipFile(path) as archive:
                weights = archive.extract(_WEIGHTS, folder)
            _check_shapes(path, weights, network)
            network.load_weights(weights)
    except _DAMAGES as error:
        raise RunFolderError(f"{path} cannot be loaded as a network: {one_line(error):.200}") from error
    return network


def check_network(path: Path, settings: ModelSettings, vocabulary: int) -> None:
    """Raise RunFolderError unless the file is whole and as large as the weights of the network; nothing is built."""
    try:
        require_file(path)
        is_sealed = check_archive(path)
        with zipfile.ZipFile(path) as archive:
            size = archive.getinfo(_WEIGHTS).file_size
            if not is_sealed and size <= path.stat().st_size and (bad := archive.testzip()):
                raise zipfile.BadZipFile(f"{bad} is damaged")
    except _DAMAGES as error:
        raise RunFolderError(f"{path} cannot be loaded as a network: {one_line(error):.200}") from error
    expected = 4 * count_parameters(settings, vocabulary)  # float32
    if not expected <= size <= expected + _OVERHEAD:
        raise RunFolderError(
            f"{path} is not the network of run.toml and tokenizer.json: it has {size:,} bytes of weights, "
            f"and they need {expected:,}"
        )


def _check_shapes(path: Path, extracted: str, network: keras.Model) -> None:
    """Refuse arrays of other shapes before one is read: a small file can describe a huge one."""
    shapes = {tuple(variable.shape) for variable in network.variables} | {(2,)}  # (2,): the seed of a dropout

    def check(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and (item.shape not in shapes or item.external or item.is_virtual):
            raise RunFolderError(f"{path} is not the network of run.toml and tokenizer.json: {name} does not fit")

    with h5py.File(extracted) as weights:
        weights.visititems(check)
