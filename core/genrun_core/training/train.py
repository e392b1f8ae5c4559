"""Training from beginning to end: what ``genrun train`` calls, and what other programs may."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genrun import registry
from genrun.errors import GenrunError, OptionError, TrainingError, TrainingInterrupted
from genrun_core.backend import device_name, memory_errors, prepare_backend, require_training, seed_everything
from genrun_core.corpus.kept_sources import STANDARD_INPUT, keep_sources
from genrun_core.corpus.preparation import prepare_corpus
from genrun_core.corpus.reading import first_document
from genrun_core.recipes.recipe import Recipe
from genrun_core.runs.atomic import write_with
from genrun_core.runs.run_folder import RunFolder
from genrun_core.runs.run_lock import training_lock
from genrun_core.training.assembly import (
    check_same_corpus,
    check_size,
    check_together,
    make_batches,
    make_fitting,
    remarks,
)
from genrun_core.training.card import make_card, metrics_in_words, shape_in_words
from genrun_core.training.comparison import compare_with_counting
from genrun_core.training.counted import check_counted, count_run, counts
from genrun_core.training.finetuning import check_base, keep_base, with_words_of
from genrun_core.training.interruption import Interruption
from genrun_core.training.plot import draw_curves
from genrun_core.training.watch import Watch
from genrun_core.training.workers import Worker, this_worker

if TYPE_CHECKING:
    import keras
    import tensorflow as tf

    from genrun_core.training.checkpoint import Restored
    from genrun_core.training.training_loop import Fitting

__all__ = ["resume", "train"]

Say = Callable[[str], object]


def train(
    sources: Sequence[str],
    recipe: Recipe,
    output: Path,
    *,
    base: Path | None = None,
    words_of: Path | None = None,
    say: Say = lambda line: None,
    watch: Watch = Watch(),  # noqa: B008 - immutable
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> RunFolder:
    """Train a model on ``sources`` and return its run folder.

    ``base``: a run folder whose network is trained further (fine-tuning); ``words_of``: one whose tokenizer is taken
    over, nothing else. ``say`` receives a line for each thing a user wants to know; ``callbacks`` are further Keras
    callbacks. Where several workers train together (``TF_CONFIG``), all but the chief keep their run folder beside
    ``output``. Raises CorpusError, OptionError, RunFolderError, TrainingError, or TrainingInterrupted once a training
    that was asked to stop has saved.
    """
    require_training("training")
    if counts(recipe):
        check_counted(base, watch=watch)
    worker = this_worker()
    output = worker.folder(output)
    reader = registry.make_reader(recipe.reader.name, recipe.reader.options)
    if list(sources).count(STANDARD_INPUT) > 1:
        raise OptionError("standard input can be named only once")
    RunFolder.check_free(output)
    began_with = _open_base(base, words_of, recipe)
    if began_with is not None:
        recipe = with_words_of(began_with, recipe)
    if STANDARD_INPUT not in sources:
        first_document(reader, sources)  # a wrong path leaves no folder behind
    if recipe.reader.name == "text" and all(source.lower().endswith((".csv", ".tsv")) for source in sources):
        say("note: every line of these files is a document; for a column there is --reader csv --set column=…")
    was_there = output.exists()
    with training_lock(output, say):
        RunFolder.check_free(output)  # now that nobody else can write there
        strategy = None if counts(recipe) else _make_strategy(recipe, worker)
        try:
            run = RunFolder.create(output, recipe, keep_sources(sources, output))
            if began_with is not None:
                keep_base(began_with, run, network=base is not None)
            prepare_corpus(run, recipe, lambda _: None)
            make_batches(run, recipe)
            check_size(run, recipe)
        except GenrunError:
            _remove(output, was_there)  # made a moment ago; a corpus that cannot be used leaves nothing to go on with
            raise
        if strategy is None:
            return count_run(run, say)
        return _continue(run, strategy, worker, say, watch, callbacks)


def resume(
    folder: Path,
    *,
    epochs: int | None = None,
    say: Say = lambda line: None,
    watch: Watch = Watch(),  # noqa: B008 - immutable
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> RunFolder:
    """Continue the training in ``folder`` where it stopped; ``epochs`` sets a new number of epochs in all."""
    worker = this_worker()
    path = worker.folder(folder)
    RunFolder.open(path).check_places()  # what is no run folder is not written to
    with training_lock(path, say):
        run = RunFolder.open(path)
        recipe = run.recipe()
        if counts(recipe):
            check_counted(epochs=epochs, watch=watch)
            return count_run(run, say)
        prepare_backend()
        if epochs is not None:
            recipe = _with_epochs(run, recipe, epochs)
            run.save_recipe(recipe)
        return _continue(run, _make_strategy(recipe, worker), worker, say, watch, callbacks)


def _with_epochs(run: RunFolder, recipe: Recipe, epochs: int) -> Recipe:
    from genrun_core.training.checkpoint import finished_epochs

    done = finished_epochs(run.checkpoint_file)
    if epochs < done:
        raise OptionError(f"{run.path} has {done} epochs behind it; epochs={epochs} would be less")
    given = tuple(name for name in recipe.adapt if name != "training.epochs")
    training = dataclasses.replace(recipe.training, epochs=epochs)
    return dataclasses.replace(recipe, training=training, adapt=given)


def _continue(
    run: RunFolder,
    strategy: tf.distribute.Strategy,
    worker: Worker,
    say: Say,
    watch: Watch,
    callbacks: Sequence[keras.callbacks.Callback],
) -> RunFolder:
    """Do whatever the run folder still lacks."""
    run.check_places()
    run.remove_leftovers()
    counts = prepare_corpus(run, run.recipe(), say)
    recipe = run.recipe()  # a recipe that adapts is complete now
    seed_everything(recipe.training.seed)
    check_size(run, recipe)
    check_same_corpus(run, strategy, worker, counts.fingerprint)
    with memory_errors():
        begins = not run.checkpoint_file.exists()
        fitting = make_fitting(run, recipe, strategy, worker, say if begins else lambda line: None)
    say(f"{fitting.network.count_params():,} parameters, {shape_in_words(recipe)}; on {device_name(strategy)}")
    for line in remarks(fitting):
        say(f"note: {line}")

    from genrun_core.network.architecture import build_network
    from genrun_core.training.monitoring import watchers
    from genrun_core.training.progress import Progress
    from genrun_core.training.recorder import Recorder

    restored = _restore(run, fitting, say)
    check_together(run, fitting)
    complete = all(path.exists() for path in (run.plot_file, run.card_file, run.network_file))
    if fitting.epoch >= recipe.training.epochs and complete:
        say(f"nothing to do: all {fitting.epoch} epochs are done (more with --set epochs=…)")
        return run
    run.plot_file.unlink(missing_ok=True)  # drawn last: where it is missing, the training is not finished
    blank = build_network(recipe.model, len(run.tokenizer()))
    recorder = Recorder(run, fitting, blank, restored, lambda best: make_card(run, recipe, counts, fitting, best))
    progress = Progress(fitting, say)
    watching = watchers(watch, run, recipe, fitting, progress.say)
    try:
        with memory_errors(), Interruption() as interrupted:
            fitting.run([progress, recorder, *_early_stopping(recipe, fitting), *watching, *callbacks], interrupted)
    except TrainingError:
        recorder.save_best()
        raise
    finally:
        progress.close()
    if fitting.interrupted:
        where = f"step {fitting.step:,} of epoch {fitting.epoch + 1}" if fitting.step else f"epoch {fitting.epoch}"
        raise TrainingInterrupted(f"stopped after {where}; everything is saved", interrupted.number)
    best_row = fitting.history[recorder.best["epoch"] - 1]
    comparison = compare_with_counting(run, recipe, best_row)
    write_with(run.plot_file, lambda path: draw_curves(fitting.history, path))
    if fitting.epoch < recipe.training.epochs:
        say(f"stopped early: no better {fitting.monitored} for {recipe.training.patience} epochs")
    say(f"best epoch {recorder.best['epoch']} of {fitting.epoch}: {metrics_in_words(best_row)}")
    if comparison:
        say(comparison)
    return run


def _open_base(base: Path | None, words_of: Path | None, recipe: Recipe) -> RunFolder | None:
    """Return the run that the new one begins with, None for none; raises OptionError if it does not fit."""
    path = base or words_of
    if path is None:
        if recipe.training.extend_vocabulary:
            raise OptionError("extend_vocabulary adds words to another run's: it needs --from RUN or --words-of RUN")
        return None
    run = RunFolder.open(path)
    tokenizer = run.tokenizer()
    if base is not None:
        check_base(run, recipe)
        prepare_backend()
        from genrun_core.network.network_file import check_network

        check_network(run.network_file, recipe.model, len(tokenizer))
    return run


def _make_strategy(recipe: Recipe, worker: Worker) -> tf.distribute.Strategy:
    prepare_backend()
    from genrun_core.training.distribution import make_strategy

    strategy = make_strategy(recipe.training.devices, worker)
    if recipe.training.running_text and strategy.num_replicas_in_sync > 1:
        raise OptionError("running_text carries its state on one device: set devices=one, without TF_CONFIG")
    return strategy


def _restore(run: RunFolder, fitting: Fitting, say: Say) -> Restored | None:
    """Put ``fitting`` where the run folder's checkpoint is; None if there is none, or its best network is lost."""
    from genrun_core.network.network_file import check_network
    from genrun_core.training.checkpoint import needs_network, restore_checkpoint

    lost = ""
    if run.checkpoint_file.exists():
        needed = needs_network(run.checkpoint_file)
        if run.network_file.exists() or not needed:
            restored = restore_checkpoint(run.checkpoint_file, fitting, (run.corpus() or {}).get("fingerprint", ""))
            if needed:
                check_network(run.network_file, run.recipe().model, len(run.tokenizer()))
            step = f", step {fitting.step:,} of the next" if fitting.step else ""
            say(f"continuing after epoch {fitting.epoch} of {fitting.settings.epochs}{step}")
            return restored
        lost = "network"
    elif run.metrics_file.exists():
        lost = "checkpoint"
    if lost:
        say(f"note: there is no {lost}, so training begins again")
    return None


def _early_stopping(recipe: Recipe, fitting: Fitting) -> list[keras.callbacks.Callback]:
    import keras

    if not recipe.training.patience:
        return []
    # The recorder keeps the best weights, on disk, where a kill cannot take them.
    return [keras.callbacks.EarlyStopping(fitting.monitored, patience=recipe.training.patience, mode="min")]


def _remove(output: Path, was_there: bool) -> None:
    """Remove what a failed beginning left; a folder that the user had made stays, as empty as it was."""
    for path in output.iterdir() if output.is_dir() else ():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    if not was_there and output.is_dir():
        output.rmdir()
