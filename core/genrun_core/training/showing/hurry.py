"""A training that should take no more than some minutes: fewer epochs, once the time of a step is known."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from genrun.cli.io.durations import about
from genrun.errors import OptionError
from genrun_core.recipes.recipe import Recipe
from genrun_core.runs.run_folder import RunFolder
from genrun_core.training.workers import Worker

if TYPE_CHECKING:
    from genrun_core.training.showing.estimate import Estimate
    from genrun_core.training.stepping.training_loop import Fitting

__all__ = ["check_minutes", "fit_into"]


def check_minutes(minutes: float | None, worker: Worker) -> None:
    """Raise OptionError unless ``minutes`` is None, or a time above 0 for a training on one machine."""
    if minutes is None:
        return
    if not 0 < minutes < float("inf"):
        raise OptionError(f"minutes must be a number above 0, not {minutes!r}")
    if worker.count > 1:
        raise OptionError("minutes is for a training on one machine: several would not agree on the time")


def fit_into(
    minutes: float, run: RunFolder, recipe: Recipe, fitting: Fitting, say: Callable[[str], object], estimate: Estimate
) -> None:
    """Take as many of the epochs as fit into ``minutes``, one at least, and record the number in ``run.toml``.

    The schedule of the learning rate follows the number, so a shorter training ends as a longer one does.
    """
    left = estimate.seconds_left()
    if fitting.epoch or left <= 60 * minutes:
        return
    wanted = fitting.settings.epochs
    epochs = min(max(int(60 * minutes / estimate.seconds_of_epoch()), 1), wanted)
    fitting.settings = dataclasses.replace(fitting.settings, epochs=epochs)
    run.save_recipe(dataclasses.replace(recipe, training=dataclasses.replace(recipe.training, epochs=epochs)))
    say(f"{epochs} of {wanted} epochs fit into {about(60 * minutes)}; all would take about {about(left)}")
