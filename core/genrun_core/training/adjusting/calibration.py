"""Fitting a network that was trained on other text to the frequencies of the new one, before fine-tuning begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun_core.network.body_and_head import Body, Head, frequency_bias
from genrun_core.training.adjusting.hidden_values import hidden_values
from genrun_core.training.batching.batches import Batches
from genrun_core.training.stepping.steps import perplexity

__all__ = ["Calibration", "calibrate"]

_SCALES = (1.0, 0.7, 0.5, 0.35, 0.25, 0.18, 0.12, 0.08, 0.05, 0.0)
_POSITIONS = 256  # whose logits are held at once


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was chosen: the ``scale`` of the logits without their bias, and whether the bias is ``new``.

    ``before`` and ``after``: perplexity on the sample that it was chosen by.
    """

    scale: float
    new: bool
    before: float
    after: float

    def __str__(self) -> str:
        """Return it in words, for the user."""
        if self.scale == 1 and not self.new:
            return f"the network begins as it was: perplexity {self.before:,.1f} on a sample of the new text"
        how = [f"its logits scaled by {self.scale:g}"] * (self.scale != 1) + ["the new text's frequencies"] * self.new
        return (
            f"the network begins with {' and '.join(how)}: perplexity {self.before:,.1f} becomes {self.after:,.1f} "
            "on a sample of the new text (calibrate=false leaves it as it was)"
        )


def calibrate(
    network: keras.Model,
    sample: Batches,
    frequencies: NDArray[np.int64],
    frozen: Sequence[str] = (),
    agree: Callable[[NDArray[np.float64]], NDArray[np.float64]] = lambda losses: losses,
) -> Calibration | None:
    """Scale the logits of ``network`` and replace their bias, where that suits the new text better.

    A network that has learnt other text by heart is sure of what does not come, and fine-tuning would first have
    to unlearn that. Two corrections need no training: a temperature (Guo et al. 2017, "On Calibration of Modern
    Neural Networks"), and the words' frequencies in the new text, int64 ``[vocabulary]``, in place of the old
    ones (after Kneser et al. 1997, "Language model adaptation using dynamic marginals"). Whatever makes the
    ``sample`` likeliest is taken; changing nothing is among the choices. ``frozen`` layers stay as they are: None
    where that leaves nothing to choose. Of the losses float64 ``[choices]`` several workers take those that they
    ``agree`` on, or their networks would part where two choices are nearly alike.
    """
    if "logits" in frozen or not sample.predictions:
        return None
    head = Head(network)
    scaled = None if head.scaled is None or head.scaled.name in frozen else head.scaled
    found = list(hidden_values(Body(network), sample))
    hidden, targets = tf.concat([part for part, _ in found], 0), np.concatenate([part for _, part in found])
    old, new = np.asarray(head.bias, np.float32), frequency_bias(frequencies)
    choices = [(scale, is_new) for scale in (_SCALES if scaled else (1.0,)) for is_new in (False, True)]
    losses = agree(_losses(head, hidden, targets, [(scale, new if is_new else old) for scale, is_new in choices]))
    best = int(np.argmin(losses))  # the first one, no change, where all are alike
    scale, is_new = choices[best]
    if scaled is not None and scale != 1:
        scaled.kernel.assign(scaled.kernel * scale)
    if is_new:
        head.bias.assign(new)
    return Calibration(scale, is_new, perplexity(losses[0]), perplexity(losses[best]))


def _losses(
    head: Head, hidden: tf.Tensor, targets: NDArray[np.int32], choices: Sequence[tuple[float, NDArray[np.float32]]]
) -> NDArray[np.float64]:
    """Return the mean loss of each choice of a scale and a bias."""
    sums = np.zeros(len(choices))
    for first in range(0, len(targets), _POSITIONS):
        wanted = targets[first : first + _POSITIONS]
        plain = head(hidden[first : first + _POSITIONS]) - tf.cast(head.bias, tf.float32)  # [positions, vocabulary]
        for i, (scale, bias) in enumerate(choices):
            logits = plain * scale + bias
            sums[i] += float(tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits)))
    return sums / len(targets)
