"""From a corpus to texts: a run folder, a model file and texts, each made unless it is there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import genrun
from genrun.errors import ExportError, PromptError, RunFolderError
from genrun.generating.settings import GenerationSettings
from genrun.model import Model
from genrun.reading.sources import STANDARD_INPUT
from genrun_core.corpus.kept_sources import absolute_source
from genrun_core.recipes.recipe import Recipe, override_recipe
from genrun_core.runs.run_folder import RunFolder

__all__ = ["check_model_file", "continued", "has_model", "prompts_for", "texts_of"]


def continued(
    path: Path, sources: Sequence[str], recipe: Recipe, overrides: Mapping[str, str], reader: str | None
) -> RunFolder | None:
    """Return the run folder at ``path`` if it is one of this corpus and recipe; None if there is none yet.

    It may have been trained for more epochs since. Raises RunFolderError for a run of something else, which is left
    alone.
    """
    if not (path / "run.toml").exists():
        return None
    run = RunFolder.open(path)
    theirs = run.recipe()
    if STANDARD_INPUT in sources or run.sources != [absolute_source(source) for source in sources]:
        raise RunFolderError(f"{path} is a run of other texts: choose another name with -o, or delete it")
    asked = override_recipe(theirs, overrides, reader)
    if asked.training.epochs < theirs.training.epochs:
        asked = replace(asked, training=replace(asked.training, epochs=theirs.training.epochs))
    if theirs.name != recipe.name or asked != theirs:
        raise RunFolderError(f"{path} is a run with other options: choose another name with -o, or delete it")
    return run


def check_model_file(path: Path, run: Path) -> None:
    """Raise ExportError if ``path`` exists while there is no run folder at ``run`` that it could be of."""
    if path.exists() and not (run / "run.toml").exists():
        raise ExportError(f"{path} exists already, and is of no run in {run}: choose another name with -o")


def has_model(run: RunFolder, path: Path) -> bool:
    """Return whether the model of a finished run is at ``path``; raises ExportError for another file there.

    That of a run which was trained further since is none: it is made again.
    """
    if not path.exists():
        return False
    card, now = genrun.load(path, device="cpu").card, run.card()
    before, after = card.get("training", {}), now["training"]
    if before.get("weights") == after.get("weights"):
        return True
    same = (card.get(name) == now.get(name) for name in ("recipe", "architecture", "corpus"))
    if all(same) and before.get("seed") == after.get("seed") and before.get("epochs", 0) < after.get("epochs", 0):
        return False
    raise ExportError(
        f"{path} is the model of another training: choose another name with -o, "
        f"or replace it with genrun export {run.path} -o {path}"
    )


def prompts_for(model: Model, run: RunFolder, count: int) -> list[str]:
    """Return prompts for ``count`` texts: none but the empty one if the model begins by itself.

    Otherwise they are first words of documents of the run.
    """
    try:
        model.tokenizer.encode_prompt("")
    except PromptError:
        tokenizer = run.tokenizer()
        shards, specials = run.shards(tokenizer), len(tokenizer.specials)
        words = (tokenizer.decode([int(i) for i in shards[n][:2] if i >= specials][:1]) for n in range(len(shards)))
        return list(dict.fromkeys(word for word in words if word))[:count]
    return [""]


def texts_of(model: Model, prompts: Sequence[str], settings: GenerationSettings, count: int) -> list[str]:
    """Return ``count`` texts, those of ``genrun generate`` with the same seed."""
    each = -(-count // len(prompts)) if prompts else 1
    return [result.text for result in model.generate_each(list(prompts), n=each, settings=settings)][:count]
