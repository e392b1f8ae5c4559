"""A network of a few numbers, ready to train on random documents, for tests that look into single steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from genrun_core.backend import prepare_backend, seed_everything
from genrun_core.recipes.sections import ModelSettings, TrainingSettings
from genrun_core.runs.token_shards import TokenShards
from genrun_core.training.prepared import batches_of

prepare_backend()

from genrun_core.network.architecture import build_network  # noqa: E402
from genrun_core.network.body_and_head import freeze_layers  # noqa: E402
from genrun_core.training.stepping.training_loop import Fitting  # noqa: E402

__all__ = ["VOCABULARY", "fitting_of", "model_of", "shards_of", "train_epochs"]

VOCABULARY = 20


def model_of(architecture: str = "gru", **settings: Any) -> ModelSettings:
    """A model of 4 and 8 units unless ``settings`` say otherwise."""
    return dataclasses.replace(ModelSettings(architecture, embedding_size=4, hidden_size=8), **settings)


def shards_of(lengths: Sequence[int]) -> TokenShards:
    """Random documents of the given lengths, always the same."""
    ids = np.random.default_rng(0).integers(1, VOCABULARY, sum(lengths)).astype(np.int32)
    return TokenShards(ids, np.cumsum([0, *lengths], dtype=np.int64))


def fitting_of(
    lengths: Sequence[int], model: ModelSettings | None = None, *, held_out: int = 0, **settings: Any
) -> Fitting:
    """A fitting over documents of the given lengths, the last ``held_out`` of them for validation."""
    seed_everything(0)
    shards, chosen = shards_of(lengths), TrainingSettings(**settings)
    split = np.split(np.arange(len(lengths)), [len(lengths) - held_out])
    training, validation = (batches_of(shards, documents, chosen) for documents in split)
    network = build_network(model or model_of(), VOCABULARY, precision=chosen.precision)
    freeze_layers(network, chosen.freeze)
    return Fitting(network, chosen, training, validation)


def train_epochs(fitting: Fitting) -> list[dict[str, float]]:
    """Train to the end and return the metrics."""
    fitting.run([])
    return fitting.history
