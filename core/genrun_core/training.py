"""Training from beginning to end: what ``genrun train`` calls, and what other programs may."""

from __future__ import annotations

import dataclasses
import datetime
import glob
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrun import registry
from genrun.errors import GenrunError, OptionError, TrainingError, TrainingInterrupted
from genrun_core.atomic import write_with
from genrun_core.backend import (
    device_name,
    memory_errors,
    prepare_backend,
    require_memory,
    require_training,
    seed_everything,
)
from genrun_core.batches import Batches, DocumentBatches, split_documents
from genrun_core.corpus import CorpusCounts, TokenShards, first_document
from genrun_core.interruption import Interruption
from genrun_core.plot import draw_curves
from genrun_core.preparation import prepare_corpus
from genrun_core.recipe import Recipe
from genrun_core.run_folder import RunFolder
from genrun_core.running_text import RunningBatches

if TYPE_CHECKING:
    import keras

    from genrun_core.fitting import Fitting

__all__ = ["resume", "train"]

Say = Callable[[str], object]
_STANDARD_INPUT = "-"


def train(
    sources: Sequence[str],
    recipe: Recipe,
    output: Path,
    *,
    say: Say = lambda line: None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> RunFolder:
    """Train a model on ``sources`` and return its run folder.

    ``say`` receives a line for each thing a user wants to know; ``callbacks`` are further Keras callbacks. Raises
    CorpusError, OptionError, RunFolderError or TrainingError.
    """
    require_training("training")
    reader = registry.make_reader(recipe.reader.name, recipe.reader.options)
    if list(sources).count(_STANDARD_INPUT) > 1:
        raise OptionError("standard input can be named only once")
    RunFolder.check_free(output)
    if _STANDARD_INPUT not in sources:
        first_document(reader, sources)  # a wrong path leaves no folder behind
    if recipe.reader.name == "text" and all(source.lower().endswith((".csv", ".tsv")) for source in sources):
        say("note: every line of these files is a document; for a column there is --reader csv --set column=…")
    prepare_backend()
    was_there = output.exists()
    try:
        kept = _keep_standard_input(sources, output)
        run = RunFolder.create(output, recipe, kept)
        prepare_corpus(run, recipe, lambda _: None)
        _make_batches(run, recipe)
        _check_size(run, recipe)
    except GenrunError:
        _remove(output, was_there)  # made a moment ago; a corpus that cannot be used leaves nothing to go on with
        raise
    return _continue(run, say, callbacks)


def resume(
    folder: Path,
    *,
    epochs: int | None = None,
    say: Say = lambda line: None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> RunFolder:
    """Continue the training in ``folder`` where it stopped; ``epochs`` sets a new number of epochs in all."""
    prepare_backend()
    run = RunFolder.open(folder)
    if epochs is not None:
        recipe = run.recipe()
        done = _finished_epochs(run)
        if epochs < done:
            raise OptionError(f"{folder} has {done} epochs behind it; epochs={epochs} would be less")
        recipe = dataclasses.replace(recipe, training=dataclasses.replace(recipe.training, epochs=epochs))
        run.settings["recipe"] = recipe.to_dict()
        run.save_settings()
    return _continue(run, say, callbacks)


def _continue(run: RunFolder, say: Say, callbacks: Sequence[keras.callbacks.Callback]) -> RunFolder:
    """Do whatever the run folder still lacks."""
    recipe = run.recipe()
    run.remove_leftovers()
    counts = prepare_corpus(run, recipe, say)
    seed_everything(recipe.training.seed)
    _check_size(run, recipe)
    with memory_errors():
        fitting = _make_fitting(run, recipe)
    say(f"{fitting.network.count_params():,} parameters, {_shape(recipe)}; on {device_name()}")

    from genrun_core.architecture import build_network
    from genrun_core.progress import Progress
    from genrun_core.recorder import Recorder

    best = _restore(run, fitting, say)
    if fitting.epoch >= recipe.training.epochs and run.plot_file.exists() and run.card_file.exists():
        say(f"nothing to do: all {fitting.epoch} epochs are done (more with --set epochs=…)")
        return run
    run.plot_file.unlink(missing_ok=True)  # drawn last: where it is missing, the training is not finished
    blank = build_network(recipe.model, len(run.tokenizer()))
    recorder = Recorder(run, fitting, blank, best, lambda best: _card(run, recipe, counts, fitting, best))
    progress = Progress(fitting, say)
    try:
        with memory_errors(), Interruption() as interrupted:
            fitting.run([progress, recorder, *_early_stopping(recipe, fitting), *callbacks], interrupted)
    finally:
        progress.close()
    if interrupted():
        where = f"step {fitting.step:,} of epoch {fitting.epoch + 1}" if fitting.step else f"epoch {fitting.epoch}"
        raise TrainingInterrupted(f"stopped after {where}; everything is saved")
    write_with(run.plot_file, lambda path: draw_curves(fitting.history, path))
    if fitting.epoch < recipe.training.epochs:
        say(f"stopped early: no better {fitting.monitored} for {recipe.training.patience} epochs")
    best_row = fitting.history[recorder.best["epoch"] - 1]
    say(f"best epoch {recorder.best['epoch']} of {fitting.epoch}: {_metrics(best_row)}")
    return run


def _restore(run: RunFolder, fitting: Fitting, say: Say) -> dict[str, Any] | None:
    """Put ``fitting`` where the run folder's checkpoint is; return what it says of the best epoch, if it has one."""
    from genrun_core.checkpoint import restore_checkpoint

    if run.checkpoint_file.exists() and (run.network_file.exists() or not run.metrics_file.exists()):
        best: dict[str, Any] = restore_checkpoint(run.checkpoint_file, fitting)["best"]
        step = f", step {fitting.step:,} of the next" if fitting.step else ""
        say(f"continuing after epoch {fitting.epoch} of {fitting.settings.epochs}{step}")
        return best
    if run.metrics_file.exists():
        what = "network" if run.checkpoint_file.exists() else "checkpoint"
        say(f"note: there is no {what}, so training begins again")
    return None


def _make_fitting(run: RunFolder, recipe: Recipe) -> Fitting:
    from genrun_core.architecture import build_network
    from genrun_core.fitting import Fitting
    from genrun_core.parts import freeze_layers

    settings = recipe.training
    training, validation = _make_batches(run, recipe)
    network = build_network(recipe.model, len(run.tokenizer()), precision=settings.precision)
    freeze_layers(network, settings.freeze)
    return Fitting(network, settings, training, validation)


def _check_size(run: RunFolder, recipe: Recipe) -> None:
    """Refuse a network that would not fit, before the system kills the process that tries."""
    from genrun_core.architecture import count_parameters

    vocabulary, sampled = len(run.tokenizer()), recipe.training.sampled_softmax
    if sampled >= vocabulary:
        raise OptionError(f"sampled_softmax={sampled} is not below the vocabulary, which is {vocabulary:,}")
    require_memory(count_parameters(recipe.model, vocabulary))


def _make_batches(run: RunFolder, recipe: Recipe) -> tuple[Batches, Batches]:
    """Return the batches for training and those held out; raises OptionError or TrainingError if one is empty."""
    shards, settings = TokenShards.open(run.tokens), recipe.training
    kind = RunningBatches if settings.running_text else DocumentBatches
    training, validation = (
        kind(
            shards,
            documents,
            batch_size=settings.batch_size,
            sequence_length=settings.sequence_length,
            seed=settings.seed,
        )
        for documents in split_documents(
            len(shards), settings.validation, settings.seed, contiguous=settings.running_text
        )
    )
    for what, batches in (("training", training), ("validation", validation)):
        if not batches.predictions and (what == "training" or settings.validation):
            raise TrainingError(f"the {what} part of the corpus has no document of two tokens or more")
    return training, validation


def _early_stopping(recipe: Recipe, fitting: Fitting) -> list[keras.callbacks.Callback]:
    import keras

    if not recipe.training.patience:
        return []
    # The recorder keeps the best weights, on disk, where a kill cannot take them.
    return [keras.callbacks.EarlyStopping(fitting.monitored, patience=recipe.training.patience, mode="min")]


def _card(
    run: RunFolder, recipe: Recipe, counts: CorpusCounts, fitting: Fitting, best: dict[str, Any]
) -> dict[str, Any]:
    row = fitting.history[best["epoch"] - 1]
    model = recipe.to_dict()["model"]
    if recipe.model.architecture != "window":
        del model["window"]
    return {
        "recipe": recipe.name,
        "description": recipe.description,
        "licence": recipe.card.licence,
        "source": recipe.card.source,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "architecture": {**model, "parameters": fitting.network.count_params()},
        "corpus": counts.to_json(),
        "training": {
            "epochs": fitting.epoch,
            "best epoch": best["epoch"],
            **{name: round(value, 6) for name, value in row.items() if "seconds" not in name and "_per_" not in name},
            "seed": recipe.training.seed,
            "weights": best["weights"],
        },
        "versions": dict(run.settings["versions"]),
    }


def _shape(recipe: Recipe) -> str:
    model = recipe.model
    if model.architecture == "window":
        return f"window of {model.window}, embedding {model.embedding_size}, hidden {model.hidden_size}"
    return f"{model.layers} × {model.architecture} {model.hidden_size}, embedding {model.embedding_size}"


def _metrics(row: dict[str, float]) -> str:
    names = [name for name in ("loss", "val_loss", "val_perplexity") if name in row]
    return ", ".join(f"{name} {row[name]:.4f}" for name in names)


def _keep_standard_input(sources: Sequence[str], output: Path) -> list[str]:
    """Return where the sources are, independent of the current folder.

    Standard input is copied into the run folder: it is read more than once, and again after a resume.
    """
    kept = output / "standard-input.txt"

    def copy(path: Path) -> None:
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)

    if _STANDARD_INPUT in sources:
        output.mkdir(parents=True, exist_ok=True)
        write_with(kept, copy)
    return [str(kept) if source == _STANDARD_INPUT else _absolute(source) for source in sources]


def _absolute(source: str) -> str:
    """Return a path or glob independent of the current folder; what names no file (a reader may take URLs) stays."""
    path = Path(source).expanduser()
    return str(path.absolute()) if path.exists() or glob.glob(str(path), recursive=True) else source


def _remove(output: Path, was_there: bool) -> None:
    """Remove what a failed beginning left; a folder that the user had made stays, as empty as it was."""
    for path in output.iterdir() if output.is_dir() else ():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if not was_there and output.is_dir():
        output.rmdir()


def _finished_epochs(run: RunFolder) -> int:
    """Return how many epochs the metrics have a row for."""
    if not run.metrics_file.exists():
        return 0
    return max(len(run.metrics_file.read_text("utf-8").splitlines()) - 1, 0)
