"""The optimizers of a training: Keras's own, with the update of Adam as one operation."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from genrun_core.recipes.sections import TrainingSettings

__all__ = ["make_optimizer"]


def make_optimizer(settings: TrainingSettings, replicas: int = 1) -> keras.optimizers.Optimizer:
    """Return a new optimizer; each of ``replicas`` gets its share of a gradient that is summed afterwards."""
    options: dict[str, object] = {"global_clipnorm": settings.clip_norm / replicas or None}
    if settings.optimizer == "adamw":
        options["weight_decay"] = settings.weight_decay
    if settings.averaging:
        options |= {"use_ema": True, "ema_momentum": settings.averaging}
    optimizer = _OPTIMIZERS[settings.optimizer](settings.learning_rate, **options)
    return keras.optimizers.LossScaleOptimizer(optimizer) if settings.precision == "float16" else optimizer


class _InOneOperation:
    """Adam's update of a variable by TensorFlow's own operation: one pass over the memory, where Keras makes twelve.

    The formula is Keras's (Kingma & Ba, "Adam: A Method for Stochastic Optimization", 2015, in the order of section
    2.1's last paragraph), and so are the variables.
    """

    def update_step(self: Any, gradient: tf.Tensor, variable: Any, learning_rate: tf.Tensor) -> None:
        """Update ``variable`` and its two moments."""
        index = self._get_variable_index(variable)
        variable, first, second = (
            each.value if isinstance(each, keras.Variable) else each
            for each in (variable, self._momentums[index], self._velocities[index])
        )
        steps = tf.cast(self.iterations.value + 1, variable.dtype)
        beta_1, beta_2 = (tf.constant(beta, variable.dtype) for beta in (self.beta_1, self.beta_2))
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=first.handle,
            v=second.handle,
            beta1_power=tf.pow(beta_1, steps),
            beta2_power=tf.pow(beta_2, steps),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.constant(self.epsilon, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
        )

    def _clip_gradients(self: Any, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        """Clip by the global norm; unlike Keras, without the square of each gradient in memory."""
        if self.global_clipnorm:
            return list(tf.clip_by_global_norm(gradients, self.global_clipnorm)[0])
        return list(super()._clip_gradients(gradients))  # type: ignore[misc]


class Adam(_InOneOperation, keras.optimizers.Adam):  # type: ignore[misc]
    """Adam."""


class AdamW(_InOneOperation, keras.optimizers.AdamW):  # type: ignore[misc]
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019)."""


_OPTIMIZERS = {
    "adam": Adam,
    "adamw": AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}
