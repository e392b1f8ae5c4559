"""What a network makes of documents before its logits: the hidden values, and the tokens that follow them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun_core.network.body_and_head import Body
from genrun_core.training.batching.batches import IGNORED, Batches

__all__ = ["hidden_values"]


def hidden_values(
    body: Body, batches: Batches, most: int | None = None
) -> Iterator[tuple[tf.Tensor, NDArray[np.int32]]]:
    """Yield each batch's hidden values, float32 ``[predictions, hidden]``, and the tokens, int32 ``[predictions]``.

    With ``most``, about this many predictions are looked at: batches at equal distances, or the beginning of a
    running text. The states of a running text are carried from batch to batch.
    """
    states: list[tf.Tensor] = []
    every = max(1, batches.predictions // most) if most else 1
    for number, batch in enumerate(batches.in_order()):
        if batches.carries and most and number * batch.targets.size > most:
            return
        if not batches.carries and number % every:
            continue
        given = states if batches.carries and states else body.initial_states(len(batch.inputs))
        hidden, states = body(tf.constant(batch.inputs), given, training=False)
        real = batch.targets != IGNORED
        yield tf.boolean_mask(tf.cast(hidden, tf.float32), real), batch.targets[real]
