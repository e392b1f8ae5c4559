"""Training from beginning to end: what ``genrun train`` calls, and what other programs may."""

from __future__ import annotations

import dataclasses
import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genrun.checks.short_text import shown
from genrun.contracts import Reader
from genrun.errors import GenrunError, OptionError
from genrun_core.backend import prepare_backend, require_training
from genrun_core.corpus.guessed import kind_note
from genrun_core.corpus.kept_sources import keep_sources, names_standard_input
from genrun_core.corpus.reading import first_document, make_reader
from genrun_core.corpus.shape import fit_shape
from genrun_core.recipes.recipe import Recipe
from genrun_core.recipes.sections import PluginChoice
from genrun_core.runs.run_folder import RunFolder
from genrun_core.runs.run_lock import training_lock
from genrun_core.training.counted import check_counted, count_run, counts
from genrun_core.training.finetuning import keep_base, open_base, with_words_of
from genrun_core.training.prepared import Prepared, prepare
from genrun_core.training.showing.hurry import check_minutes
from genrun_core.training.watch import Watch
from genrun_core.training.workers import Worker, this_worker

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

__all__ = ["resume", "train"]

Say = Callable[[str], object]
_log = logging.getLogger("genrun")


def train(
    sources: Sequence[str],
    recipe: Recipe,
    output: Path,
    *,
    reader: Reader | None = None,
    base: Path | None = None,
    words_of: Path | None = None,
    validation: Sequence[str] = (),
    minutes: float | None = None,
    say: Say = _log.info,
    watch: Watch = Watch(),  # noqa: B008 - immutable
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> RunFolder:
    """Train a model on ``sources`` and return its run folder.

    ``validation``: sources of documents that are held out, in place of the recipe's share of ``sources``.
    ``reader``: an object that reads the sources, in place of the recipe's reader; ``run.toml`` records its class.
    ``base``: a run folder whose network is trained further (fine-tuning); ``words_of``: one whose tokenizer is taken
    over, nothing else. ``minutes``: about the longest time for the epochs, of which there are fewer then; None for
    no limit. ``say`` receives a line for each thing a user wants to know, left out the logger ``genrun``;
    ``callbacks`` are further Keras callbacks. Of several workers (``TF_CONFIG``), all but the chief keep their run
    folder beside ``output``. Raises CorpusError, OptionError, RunFolderError, TrainingError, or TrainingInterrupted
    once a training that was asked to stop has saved.
    """
    require_training("training")
    worker = this_worker()
    _check_settings(recipe, base, minutes, watch, worker)
    output = worker.folder(output)
    recipe, reader = _with_reader(recipe, reader)
    RunFolder.check_free(output)
    began_with = open_base(base, words_of, recipe)
    if began_with is not None:
        recipe = with_words_of(began_with, recipe)
    recipe, reader = _fitted(recipe, reader, sources, validation, say, alone=worker.count == 1)
    was_there = output.exists()
    with training_lock(output, say):
        RunFolder.check_free(output)  # now that nobody else can write there
        strategy = None if counts(recipe) else _make_strategy(recipe, worker)
        try:
            run = RunFolder.create(output, recipe, keep_sources(sources, output), keep_sources(validation, output))
            if began_with is not None:
                keep_base(began_with, run, network=base is not None)
            prepared = prepare(run, recipe, say, reader)
        except GenrunError:
            _remove(output, was_there)  # made a moment ago; a corpus that cannot be used leaves nothing to go on with
            raise
        _complete(prepared, strategy, worker, say, watch, callbacks, minutes)
    return run


def _complete(
    prepared: Prepared,
    strategy: tf.distribute.Strategy | None,
    worker: Worker,
    say: Say,
    watch: Watch,
    callbacks: Sequence[keras.callbacks.Callback],
    minutes: float | None,
) -> None:
    """Train the network, or count where there is none, as far as that is not done."""
    if strategy is None:
        count_run(prepared, say)
        return
    from genrun_core.training.fit import fit

    fit(prepared, strategy, worker, say, watch, callbacks, minutes)


def _check_settings(recipe: Recipe, base: Path | None, minutes: float | None, watch: Watch, worker: Worker) -> None:
    """Raise OptionError for what does not go together, before anything is read."""
    check_minutes(minutes, worker)
    if counts(recipe):
        check_counted(base, watch=watch)


def _fitted(
    recipe: Recipe, reader: Reader, sources: Sequence[str], validation: Sequence[str], say: Say, *, alone: bool
) -> tuple[Recipe, Reader]:
    """Return recipe and reader for the shape of the documents.

    Reads the first documents, so that a wrong path leaves no folder behind.
    """
    if sum(map(names_standard_input, [*sources, *validation])) > 1:
        raise OptionError("standard input can be named only once")
    for named in (sources, validation):
        if named and not any(map(names_standard_input, named)):
            first_document(reader, named)
    recipe, reader = fit_shape(recipe, reader, sources, say, alone=alone)
    if note := kind_note(recipe, sources):
        say(note)
    return recipe, reader


def resume(
    folder: Path,
    *,
    epochs: int | None = None,
    minutes: float | None = None,
    say: Say = _log.info,
    watch: Watch = Watch(),  # noqa: B008 - immutable
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> RunFolder:
    """Continue the training in ``folder`` where it stopped; ``epochs`` sets a new number of epochs in all.

    ``minutes`` is for a training that was stopped in its first epoch; later ones keep their number of epochs. ``say``
    receives a line for each thing a user wants to know, left out the logger ``genrun``.
    """
    worker = this_worker()
    check_minutes(minutes, worker)
    path = worker.folder(folder)
    RunFolder.open(path).check_places()  # what is no run folder is not written to
    with training_lock(path, say):
        run = RunFolder.open(path)
        recipe = run.recipe()
        strategy = None
        if counts(recipe):
            check_counted(epochs=epochs, watch=watch)
        else:
            prepare_backend()
            if epochs is not None:
                recipe = _with_epochs(run, recipe, epochs)
                run.save_recipe(recipe)
            strategy = _make_strategy(recipe, worker)
        _complete(prepare(run, recipe, say), strategy, worker, say, watch, callbacks, minutes)
    return run


def _with_reader(recipe: Recipe, reader: Reader | None) -> tuple[Recipe, Reader]:
    """Return the reader of ``recipe``; of an object of the caller, the recipe records the class."""
    if reader is None:
        return recipe, make_reader(recipe.reader)
    if not isinstance(reader, Reader) or isinstance(reader, type):
        raise OptionError(f"reader must be an object with a method read, not {shown(reader)}; a recipe has a name")
    return dataclasses.replace(recipe, reader=PluginChoice.of_object(reader)), reader


def _with_epochs(run: RunFolder, recipe: Recipe, epochs: int) -> Recipe:
    from genrun_core.training.saving.checkpoint import finished_epochs

    done = finished_epochs(run.checkpoint_file)
    if epochs < done:
        raise OptionError(f"{run.path} has {done} epochs behind it; epochs={epochs} would be less")
    given = tuple(name for name in recipe.adapt if name != "training.epochs")
    training = dataclasses.replace(recipe.training, epochs=epochs)
    return dataclasses.replace(recipe, training=training, adapt=given)


def _make_strategy(recipe: Recipe, worker: Worker) -> tf.distribute.Strategy:
    prepare_backend()
    from genrun_core.training.distribution import make_strategy

    strategy = make_strategy(recipe.training.devices, worker)
    if recipe.training.running_text and strategy.num_replicas_in_sync > 1:
        raise OptionError("running_text carries its state on one device: set devices=one, without TF_CONFIG")
    return strategy


def _remove(output: Path, was_there: bool) -> None:
    """Remove what a failed beginning left; a folder that the user had made stays, as empty as it was."""
    for path in output.iterdir() if output.is_dir() else ():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    if not was_there and output.is_dir():
        output.rmdir()
