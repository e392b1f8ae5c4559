"""The n-gram model of a run folder, alone or for a mixture, as a file of arrays that is checked before it is used."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.errors import RunFolderError, one_line
from genrun.tokenizer import Tokenizer
from genrun_core.counting.mixed import Mixed
from genrun_core.counting.model import CountingModel
from genrun_core.recipes.recipe import Recipe
from genrun_core.runs.atomic import replacing
from genrun_core.runs.digests import check_archive, seal
from genrun_core.runs.run_files import require_file
from genrun_core.runs.run_folder import RunFolder

__all__ = ["fingerprint", "load_counting", "load_mixed", "save_counting"]

_DAMAGES = (OSError, ValueError, TypeError, LookupError, EOFError, MemoryError, zipfile.BadZipFile)


def save_counting(path: Path, model: CountingModel | Mixed) -> None:
    """Write ``model``, or what is mixed with a network, with its digest, whole or not at all."""
    arrays: dict[str, Any] = model.to_arrays()
    with replacing(path) as beside:
        np.savez(beside, **arrays)
        seal(beside)


def load_counting(run: RunFolder, recipe: Recipe, tokenizer: Tokenizer) -> CountingModel:
    """Return the n-gram model of a run; raises RunFolderError if there is none yet, or it is damaged."""
    if not run.counting_file.exists():
        raise RunFolderError(f"{run.path} has no n-gram model yet: genrun train --resume {run.path}")
    return _checked(_load(run), run, recipe, tokenizer)


def load_mixed(run: RunFolder, recipe: Recipe, tokenizer: Tokenizer, weights: str) -> Mixed | None:
    """Return what is mixed with the network of a run that has these ``weights``; None if nothing is.

    Raises RunFolderError for a damaged file, and for a missing one that the card has the figures of.
    """
    if not run.counting_file.exists():
        if run.has_mixture(weights):
            raise RunFolderError(f"{run.counting_file} is missing: genrun train --resume {run.path} counts it again")
        return None
    arrays = _load(run)
    model = _checked(arrays, run, recipe, tokenizer)
    try:
        mixed = Mixed.from_arrays(arrays, model)
    except _DAMAGES as error:
        raise RunFolderError(f"{run.counting_file} has no mixture: {one_line(error):.200}") from error
    return mixed if mixed.weights == weights else None


def fingerprint(model: CountingModel) -> str:
    """Return a hash of the model, the same for the same bits."""
    digest = hashlib.blake2b(digest_size=16)
    for array in model.to_arrays().values():
        digest.update(array.tobytes())
    return digest.hexdigest()


def _load(run: RunFolder) -> dict[str, NDArray[Any]]:
    path = run.counting_file
    try:
        require_file(path)
        check_archive(path)
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: np.asarray(arrays[name]) for name in arrays.files}
    except _DAMAGES as error:
        raise RunFolderError(f"{path} cannot be loaded as an n-gram model: {one_line(error):.200}") from error


def _checked(
    arrays: Mapping[str, NDArray[Any]], run: RunFolder, recipe: Recipe, tokenizer: Tokenizer
) -> CountingModel:
    path = run.counting_file
    try:
        model = _fitting_together(arrays)
    except _DAMAGES as error:
        raise RunFolderError(f"{path} cannot be loaded as an n-gram model: {one_line(error):.200}") from error
    expected = recipe.model.order, len(tokenizer), tokenizer.special("start") is None
    if (model.order, model.vocabulary, model.boundary) != expected:
        raise RunFolderError(f"{path} is not the n-gram model of run.toml and tokenizer.json: delete it, and resume")
    return model


def _fitting_together(arrays: Mapping[str, NDArray[Any]]) -> CountingModel:
    """Return the model in ``arrays``; raises ValueError or LookupError if they do not belong together."""
    model = CountingModel.from_arrays(arrays)
    contexts = 1
    for level in range(model.order):
        keys, shares, backoffs, totals = (
            getattr(model, name)[level] for name in ("keys", "shares", "backoffs", "totals")
        )
        kinds = keys.dtype, shares.dtype, backoffs.dtype, totals.dtype
        if kinds != (np.int64, np.float64, np.float64, np.int64):
            raise ValueError(f"the arrays of level {level + 1} are of other types")
        if keys.shape != shares.shape or (len(backoffs), len(totals)) != (contexts, contexts):
            raise ValueError(f"the arrays of level {level + 1} are of other sizes")
        if len(keys) and (keys[0] < 0 or (np.diff(keys) <= 0).any() or keys[-1] >= contexts * model.width):
            raise ValueError(f"the n-grams of level {level + 1} are not in order")
        if not all((part >= 0).all() and (part <= 1).all() for part in (shares, backoffs)):
            raise ValueError(f"level {level + 1} has what is no probability")
        contexts = len(keys)
    return model
