"""The loss over a sample of the vocabulary, for networks whose time goes into the logits of all words."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun.errors import OptionError
from genrun_core.network.body_and_head import Head

__all__ = ["Candidates", "draw_candidates", "sampled_losses"]


class Candidates(NamedTuple):
    """The words that stand for all others in one step: ids int64 ``[sampled]``.

    ``expected``: how often each word of the vocabulary is drawn on average, float32 ``[vocabulary]``.
    """

    ids: tf.Tensor | NDArray[np.int64]
    expected: tf.Tensor | NDArray[np.float32]


def draw_candidates(vocabulary: int, sampled: int, random: np.random.Generator) -> Candidates:
    """Draw ``sampled`` different words; the frequent ones, with low ids, more often.

    The chance of rank r falls like 1 / (r + 1), as TensorFlow's log-uniform sampler has it. Drawn without
    replacement by the exponential race (Efraimidis & Spirakis, "Weighted random sampling with a reservoir", 2006).

    >>> drawn = draw_candidates(1000, 50, np.random.default_rng(1))
    >>> len(set(drawn.ids.tolist())), round(float(drawn.expected.sum()))
    (50, 50)
    """
    if sampled >= vocabulary:
        raise OptionError(f"sampled_softmax={sampled} is not below the vocabulary, which is {vocabulary:,}")
    chances, expected = _chances(vocabulary, sampled)
    arrivals = random.exponential(size=vocabulary) / chances
    return Candidates(np.sort(np.argpartition(arrivals, sampled)[:sampled]).astype(np.int64), expected)


def sampled_losses(head: Head, hidden: tf.Tensor, wanted: tf.Tensor, candidates: Candidates) -> tf.Tensor:
    """Return the loss of each prediction against the candidates alone, float32 ``[tokens]``.

    ``hidden``: ``[tokens, hidden]``; ``wanted``: int32 ``[tokens]``. Only for a head that is tied to the embedding.
    """
    weights, bias = tf.convert_to_tensor(head.tied_vectors), tf.convert_to_tensor(head.bias)
    labels = tf.cast(wanted, tf.int64)[:, None]
    sampled = tf.gather(candidates.expected, candidates.ids)
    losses = tf.nn.sampled_softmax_loss(
        weights,
        bias,
        labels,
        tf.cast(hidden, tf.float32),
        num_sampled=tf.size(candidates.ids),
        num_classes=weights.shape[0],
        sampled_values=(candidates.ids, tf.gather(candidates.expected, labels), sampled),
    )
    return losses


@lru_cache(maxsize=4)
def _chances(vocabulary: int, sampled: int) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return the weights of the draw, and how often each word is drawn on average."""
    ranks = np.arange(vocabulary, dtype=np.float64)
    chances = np.log1p(1 / (ranks + 1))
    # A word is drawn if its exponential clock rings before the time at which ``sampled`` clocks have rung on average.
    low, high = 0.0, 1.0
    while -np.expm1(-high * chances).sum() < sampled:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if -np.expm1(-middle * chances).sum() < sampled else (low, middle)
    return chances, (-np.expm1(-high * chances)).astype(np.float32)
