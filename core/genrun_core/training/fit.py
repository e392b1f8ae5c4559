"""From what is prepared to trained weights: the training loop, with what keeps its run folder up to date."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import keras
import tensorflow as tf

from genrun.errors import TrainingError, TrainingInterrupted
from genrun_core.architectures.contract import OPTIONAL
from genrun_core.backend import device_name, memory_errors, seed_everything
from genrun_core.network.architecture import build_network
from genrun_core.network.body_and_head import Head, freeze_layers, frequency_bias
from genrun_core.network.network_file import check_network, load_network
from genrun_core.recipes.sections import ModelSettings
from genrun_core.runs.atomic import replacing
from genrun_core.training.adjusting.calibration import calibrate
from genrun_core.training.card import make_card, metrics_in_words, shape_in_words
from genrun_core.training.distribution import check_same_corpus, check_same_place, take_from_chief
from genrun_core.training.finetuning import transfer_weights
from genrun_core.training.finishing import finish
from genrun_core.training.prepared import Prepared
from genrun_core.training.saving.checkpoint import Restored, needs_network, restore_checkpoint
from genrun_core.training.saving.interruption import Interruption
from genrun_core.training.saving.recorder import Recorder
from genrun_core.training.showing.estimate import Estimate
from genrun_core.training.showing.hurry import fit_into
from genrun_core.training.showing.monitoring import watchers
from genrun_core.training.showing.plot import draw_curves
from genrun_core.training.showing.progress import Progress
from genrun_core.training.showing.result_notes import result_notes
from genrun_core.training.stepping.releasing import Releasing
from genrun_core.training.stepping.training_loop import Fitting
from genrun_core.training.watch import Watch
from genrun_core.training.workers import Worker

__all__ = ["fit", "make_fitting", "restore"]

Say = Callable[[str], object]


def fit(
    prepared: Prepared,
    strategy: tf.distribute.Strategy,
    worker: Worker,
    say: Say,
    watch: Watch,
    callbacks: Sequence[keras.callbacks.Callback],
    minutes: float | None = None,
) -> None:
    """Train the network of a run to the end, from its checkpoint if it has one.

    ``minutes``: the training takes fewer epochs if all of them would take longer; None for all.
    """
    run, recipe, counts = prepared.run, prepared.recipe, prepared.corpus.counts
    seed_everything(recipe.training.seed)
    check_same_corpus(run.path, strategy, worker, counts.fingerprint)
    trained = _trained(prepared, strategy, worker, _Around(say, watch, callbacks, minutes))
    if trained is None:
        return
    history, best, weights = trained
    gc.collect()  # the network and its optimizer: what follows needs memory of its own
    say(f"best epoch {best} of {len(history)}: {metrics_in_words(history[best - 1])}")
    for line in result_notes(history, best):
        say(f"note: {line}")
    with memory_errors():
        finish(prepared, history[best - 1], weights, say)
    title = f"{run.path.resolve().name}: {shape_in_words(recipe)}, {counts.documents:,} documents"
    counting = run.card().get("counting", {}).get("perplexity")
    with replacing(run.plot_file) as beside:
        draw_curves(history, beside, title=title, best=best, counting=counting)


class _Around(NamedTuple):
    """What is called while a training goes on, and how many minutes it may take."""

    say: Say
    watch: Watch
    callbacks: Sequence[keras.callbacks.Callback]
    minutes: float | None


def _trained(
    prepared: Prepared, strategy: tf.distribute.Strategy, worker: Worker, around: _Around
) -> tuple[list[dict[str, float]], int, str] | None:
    """Return the metrics of each epoch, the best epoch, and the fingerprint of its weights; None if all is done."""
    run, recipe, counts, say = prepared.run, prepared.recipe, prepared.corpus.counts, around.say
    with memory_errors():
        begins = not run.checkpoint_file.exists()
        fitting = make_fitting(prepared, strategy, worker, say if begins else lambda line: None)
    say(f"{fitting.network.count_params():,} parameters, {shape_in_words(recipe)}; on {device_name(strategy)}")
    for line in _warnings(prepared, fitting):
        say(f"note: {line}")
    restored = restore(prepared, fitting, say)
    check_same_place(run.path, strategy, worker, fitting.epoch, fitting.step)
    complete = all(path.exists() for path in (run.plot_file, run.card_file, run.network_file))
    complete = complete and (run.counting_file.exists() or not (recipe.model.counting and run.has_mixture()))
    if fitting.epoch >= recipe.training.epochs and complete:
        say(f"nothing to do: all {fitting.epoch} epochs are done (more with --set epochs=…)")
        return None
    run.plot_file.unlink(missing_ok=True)  # drawn last: where it is missing, the training is not finished
    blank = partial(build_network, recipe.model, prepared.vocabulary, blank=True)
    recorder = Recorder(
        *(run, fitting, blank, counts.fingerprint, restored),
        lambda best: make_card(run, recipe, counts, fitting, best),
    )
    _run(prepared, fitting, recorder, around)
    if fitting.epoch < fitting.settings.epochs:
        say(f"stopped early: no better {fitting.monitored} for {recipe.training.patience} epochs")
    return fitting.history, recorder.best["epoch"], recorder.best["weights"]


def _run(prepared: Prepared, fitting: Fitting, recorder: Recorder, around: _Around) -> None:
    """Run the loop; raises TrainingInterrupted, with everything saved, if the training was asked to stop."""
    run, recipe, patience = prepared.run, prepared.recipe, prepared.recipe.training.patience

    def hurry(estimate: Estimate) -> None:
        if around.minutes is not None:
            fit_into(around.minutes, run, recipe, fitting, progress.say, estimate)

    progress = Progress(fitting, around.say, hurry)
    everything = [Releasing(fitting), progress, recorder, *watchers(around.watch, prepared, fitting, progress.say)]
    everything += around.callbacks
    if patience:  # the recorder keeps the best weights, on disk, where a kill cannot take them
        everything.insert(3, keras.callbacks.EarlyStopping(fitting.monitored, patience=patience, mode="min"))
    try:
        with memory_errors(), Interruption() as interrupted:
            fitting.run(everything, interrupted)
    except TrainingError:
        recorder.save_best()
        raise
    finally:
        progress.close()
    if fitting.interrupted:
        where = f"step {fitting.step:,} of epoch {fitting.epoch + 1}" if fitting.step else f"epoch {fitting.epoch}"
        raise TrainingInterrupted(f"stopped after {where}; everything is saved", interrupted.number)


def make_fitting(
    prepared: Prepared,
    strategy: tf.distribute.Strategy | None = None,
    worker: Worker = Worker(),  # noqa: B008 - immutable
    say: Say = lambda line: None,
) -> Fitting:
    """Return the network of a run at the beginning of its training, with the batches that it learns from.

    A run that began with another one's network begins with its weights, calibrated unless the settings forbid it;
    ``say`` receives what the calibration chose.
    """
    recipe, settings, run = prepared.recipe, prepared.recipe.training, prepared.run
    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
        network = build_network(recipe.model, prepared.vocabulary, precision=settings.precision)
        frequencies = prepared.frequencies
        if run.base_network_file.exists():
            known = prepared.corpus.base_tokenizer or prepared.corpus.tokenizer
            transfer_weights(load_network(run.base_network_file, recipe.model, len(known)), network)
            if settings.calibrate:
                agree = partial(take_from_chief, strategy, worker)
                sample = prepared.calibration_sample()
                chosen = calibrate(network, sample, frequencies, settings.freeze, agree)
                if chosen is not None:
                    say(str(chosen))
        else:
            Head(network).bias.assign(frequency_bias(frequencies))  # so that it need not learn them
        freeze_layers(network, settings.freeze)
    unknown = prepared.corpus.tokenizer.special("unk")
    return Fitting(network, settings, prepared.training, prepared.validation, strategy, worker, unknown)


def restore(prepared: Prepared, fitting: Fitting, say: Say = lambda line: None) -> Restored | None:
    """Put ``fitting`` where the run folder's checkpoint is; None if there is none, or its best network is lost."""
    run, lost = prepared.run, ""
    if run.checkpoint_file.exists():
        needed = needs_network(run.checkpoint_file)
        if run.network_file.exists() or not needed:
            restored = restore_checkpoint(run.checkpoint_file, fitting, prepared.corpus.counts.fingerprint)
            if needed:
                check_network(run.network_file, prepared.recipe.model, prepared.vocabulary)
            step = f", step {fitting.step:,} of the next" if fitting.step else ""
            say(f"continuing after epoch {fitting.epoch} of {fitting.settings.epochs}{step}")
            if not restored.optimizer and fitting.epoch < fitting.settings.epochs:
                say("note: the state of the optimizer was dropped at the end (--smaller), so it begins again")
            return restored
        lost = "network"
    elif run.metrics_file.exists():
        lost = "checkpoint"
    if lost:
        say(f"note: there is no {lost}, so training begins again")
    return None


def _warnings(prepared: Prepared, fitting: Fitting) -> list[str]:
    """Return which settings of a training have less effect than they seem to have."""
    settings, rows = fitting.settings, len(fitting.training)
    found = []
    if settings.batch_size > rows:
        what = "predictions" if fitting.training.carries else "sequences"
        found.append(f"batch_size={settings.batch_size} is more than there are {what}, {rows:,}: one batch has all")
    model = prepared.recipe.model
    for name in OPTIONAL:
        if name not in model.plugin.uses and getattr(model, name) != getattr(ModelSettings(), name):
            found.append(f"architecture={model.architecture} makes no use of {name}")
    if settings.xla and settings.sampled_softmax:
        found.append("xla leaves the steps over sampled words as they are")
    return found
