"""The optimizers learn what Keras's own learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from genrun_core.backend import prepare_backend

prepare_backend()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from genrun_core.recipes.sections import TrainingSettings  # noqa: E402
from genrun_core.training.stepping.optimizers import make_optimizer  # noqa: E402

KERAS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}


def _after(optimizer: keras.optimizers.Optimizer, *, steps: int = 30) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the weights after each step, and the average of them if one is kept."""
    random = np.random.default_rng(7)
    variables = [keras.Variable(random.normal(size=shape).astype("f4")) for shape in ((5, 3), (4,))]
    optimizer.build(variables)
    step = tf.function(lambda *gradients: optimizer.apply_gradients(zip(gradients, variables, strict=True)))
    found = []
    for number in range(steps):
        optimizer.learning_rate.assign(0.05 / (1 + number))
        sizes = 10.0 ** random.uniform(-4, 2, size=2)  # gradients that vanish and that are clipped
        gradients = [size * random.normal(size=each.shape) for size, each in zip(sizes, variables, strict=True)]
        step(*(tf.constant(gradient, "float32") for gradient in gradients))
        averages = getattr(optimizer, "_model_variables_moving_average", []) or variables
        found.append((_joined(variables), _joined(averages)))
    return found


def _joined(values: Sequence[Any]) -> np.ndarray:
    return np.concatenate([np.ravel(value) for value in values])


@pytest.mark.parametrize(
    "options", [{}, {"clip_norm": 1.0}, {"averaging": 0.9}], ids=["plain", "clipped", "averaged"]
)
@pytest.mark.parametrize("name", KERAS)
def test_each_step_is_that_of_keras(name: str, options: dict[str, Any]) -> None:
    decay: dict[str, Any] = {"weight_decay": 0.1} if name == "adamw" else {}
    settings = TrainingSettings(optimizer=name, learning_rate=0.05, **decay, **options)
    theirs = KERAS[name](
        0.05,
        global_clipnorm=settings.clip_norm or None,
        use_ema=bool(settings.averaging),
        ema_momentum=settings.averaging or 0.99,
        **decay,
    )
    for (weights, average), (wanted, wanted_average) in zip(
        _after(make_optimizer(settings)), _after(theirs), strict=True
    ):
        np.testing.assert_allclose(weights, wanted, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(average, wanted_average, rtol=1e-5, atol=1e-6)
