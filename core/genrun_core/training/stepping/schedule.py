"""The learning rate at every step, as a function of position and history, so that a resume finds the same."""

from __future__ import annotations

import math
from collections.abc import Sequence

from genrun_core.recipes.sections import TrainingSettings

__all__ = ["learning_rate"]


def learning_rate(settings: TrainingSettings, *, step: int, progress: float, losses: Sequence[float]) -> float:
    """Return the rate for one step.

    ``step``: how many were made before it; ``progress``: from 0, the beginning of the training, to 1, its end;
    ``losses``: the monitored loss of each finished epoch.

    >>> chosen = TrainingSettings(learning_rate=0.01, schedule="cosine", warmup_steps=10)
    >>> [round(learning_rate(chosen, step=step, progress=step / 100, losses=[]), 4) for step in (0, 9, 50, 99)]
    [0.001, 0.0098, 0.005, 0.0]
    """
    rate = settings.learning_rate
    if settings.schedule == "cosine":
        rate *= (1 + math.cos(math.pi * min(progress, 1.0))) / 2
    elif settings.schedule == "plateau":
        rate *= settings.plateau_factor ** _plateaus(losses, settings.plateau_patience)
    if step < settings.warmup_steps:
        rate *= (step + 1) / settings.warmup_steps
    return rate


def _plateaus(losses: Sequence[float], patience: int) -> int:
    """Return how often the loss has not fallen for ``patience`` epochs in a row; the count starts again each time."""
    best, waited, found = math.inf, 0, 0
    for loss in losses:
        waited = 0 if loss < best else waited + 1
        best = min(best, loss)
        if waited == patience:
            waited, found = 0, found + 1
    return found
