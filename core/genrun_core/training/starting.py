"""The network at the beginning of its training: freshly drawn, or with the weights of another run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import tensorflow as tf

from genrun_core.network.architecture import build_network
from genrun_core.network.body_and_head import begin_with_frequencies, freeze_layers
from genrun_core.network.network_file import load_network
from genrun_core.training.calibration import calibrate
from genrun_core.training.distribution import take_from_chief
from genrun_core.training.finetuning import transfer_weights
from genrun_core.training.prepared import Prepared
from genrun_core.training.training_loop import Fitting
from genrun_core.training.workers import Worker

__all__ = ["make_fitting"]


def make_fitting(
    prepared: Prepared,
    strategy: tf.distribute.Strategy | None = None,
    worker: Worker = Worker(),  # noqa: B008 - immutable
    say: Callable[[str], object] = lambda line: None,
) -> Fitting:
    """Return the network of a run at the beginning of its training, with the batches that it learns from.

    A run that began with another one's network begins with its weights, calibrated unless the settings forbid it;
    ``say`` receives what the calibration chose.
    """
    recipe, settings, run = prepared.recipe, prepared.recipe.training, prepared.run
    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
        network = build_network(recipe.model, prepared.vocabulary, precision=settings.precision)
        frequencies = prepared.frequencies()
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
            begin_with_frequencies(network, frequencies)
        freeze_layers(network, settings.freeze)
    return Fitting(network, settings, prepared.training, prepared.validation, strategy, worker)
