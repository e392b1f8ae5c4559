"""After training: how likely whole groups of tokens are, set right by held-out documents.

A network that was trained with dropout is used without it, and is then too sure of some tokens: it ends texts too
early. One number for each group of tokens, added to their logits, makes up for that. (After Kull et al., "Beyond
temperature scaling", 2019, with groups in place of classes.) How likely unknown words are together stays as it was:
they are not written, and what they gained, the words of the vocabulary would lose.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from genrun_core.network.body_and_head import Body, Head
from genrun_core.training.adjusting.hidden_values import hidden_values
from genrun_core.training.batching.batches import Batches

__all__ = ["OutputBias", "balance_output", "groups_of"]

_FREQUENCIES = (2, 4, 8, 16, 64, 256)  # a group of tokens begins at each of these frequencies
_MOST = 100_000  # predictions that are looked at
_POSITIONS = 512  # whose logits are held at once
_DRAWN_TO_NOTHING = 20.0  # as by this many predictions
_STEPS = 30

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OutputBias:
    """What was added to the logits of each group, float64 ``[groups]``, and held-out losses in nats a prediction.

    ``before`` and ``after`` it was added; ``known``: after, of the predictions that are no unknown words.
    """

    bias: Array
    before: float
    after: float
    known: float

    def corrected(self, row: Mapping[str, float]) -> dict[str, float]:
        """Return the metrics of an epoch with the held-out figures as they are now; the accuracy is left out."""
        found = {name: value for name, value in row.items() if name != "val_accuracy"}
        found |= {"val_loss": self.after, "val_perplexity": math.exp(self.after)}
        is_known = "val_known_perplexity" in row and not math.isnan(self.known)
        return found | ({"val_known_perplexity": math.exp(self.known)} if is_known else {})

    def __str__(self) -> str:
        """Return what it changed, in words; empty where no figure that is shown changes."""
        before, after = (f"{math.exp(loss):.1f}" for loss in (self.before, self.after))
        if before == after:
            return ""
        what = "rare words, frequent ones and ends were balanced on held-out documents"
        return f"{what}: perplexity {before} became {after}"


def groups_of(frequencies: NDArray[np.int64], apart: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the group of each token, int64 ``[vocabulary]``: each of ``apart`` is one, the others go by frequency.

    >>> groups_of(np.array([0, 9, 1, 3, 300]), (1,)).tolist()
    [0, 7, 0, 1, 6]
    """
    groups: NDArray[np.int64] = np.searchsorted(_FREQUENCIES, frequencies, side="right").astype(np.int64)
    for number, token in enumerate(apart):
        groups[token] = len(_FREQUENCIES) + 1 + number
    return groups


def balance_output(
    network: keras.Model, held_out: Batches, groups: NDArray[np.int64], unknown: int | None, *, fit: bool = True
) -> OutputBias | None:
    """Add to the logits of each group of tokens what makes ``held_out`` likeliest; None if nothing is held out.

    ``groups``: that of each token, from 0, int64 ``[vocabulary]``; ``unknown``: the id of ``<unk>``. Without ``fit``,
    nothing is added, as where that is done already: the losses are measured.
    """
    seen = _predictions(network, held_out, groups)
    if not len(seen.own):
        return None
    group = None if unknown is None else int(groups[unknown])
    bias = _likeliest(seen, group) if fit else np.zeros(seen.masses.shape[1])
    Head(network).bias.assign_add(bias[groups].astype(np.float32))
    after = seen.logs + bias[seen.own] - np.log(seen.masses @ np.exp(bias))
    known = after[seen.own != group]
    return OutputBias(bias, *(-float(logs.mean()) if len(logs) else math.nan for logs in (seen.logs, after, known)))


@dataclass(frozen=True, slots=True)
class _Predictions:
    """Probabilities of each group, ``[predictions, groups]``; the target's ``own`` group, and log-probability."""

    masses: Array
    own: NDArray[np.int64]
    logs: Array


def _predictions(network: keras.Model, held_out: Batches, groups: NDArray[np.int64]) -> _Predictions:
    """Return what the network makes of held-out tokens, up to about _MOST of them."""
    body, head = Body(network), Head(network)
    members = tf.one_hot(groups, int(groups.max()) + 1)  # [vocabulary, groups]
    masses, own, logs = [np.zeros((0, int(groups.max()) + 1))], [np.zeros(0, np.int64)], [np.zeros(0)]
    for hidden, targets in hidden_values(body, held_out, _MOST):
        for first in range(0, len(targets), _POSITIONS):
            wanted = targets[first : first + _POSITIONS]
            logits = head(hidden[first : first + _POSITIONS])  # [positions, vocabulary]
            masses.append(np.asarray(tf.nn.softmax(logits) @ members, np.float64))
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits)
            logs.append(-np.asarray(losses, np.float64))
            own.append(groups[wanted])
    return _Predictions(np.concatenate(masses), np.concatenate(own), np.concatenate(logs))


def _likeliest(seen: _Predictions, unknown: int | None) -> Array:
    """Return what makes the known targets likeliest, each number drawn to 0 a little, by Newton's method.

    The number of the group ``unknown`` is the one with which its mean probability stays.
    """
    size = seen.masses.shape[1]
    known, bias = seen.own != unknown, np.zeros(size)
    masses, wanted = seen.masses[known], np.bincount(seen.own[known], minlength=size).astype(np.float64)
    if unknown is not None:
        masses[:, unknown] = 0.0
    for _ in range(_STEPS):
        shares = masses * np.exp(bias)
        shares /= shares.sum(axis=1, keepdims=True)
        expected = shares.sum(axis=0)
        slope = wanted - expected - _DRAWN_TO_NOTHING * bias
        curvature = np.diag(expected + _DRAWN_TO_NOTHING) - shares.T @ shares
        step = np.linalg.solve(curvature, slope)
        bias += np.clip(step, -1.0, 1.0)
        if np.abs(step).max() < 1e-9:
            break
    if unknown is not None:
        for _ in range(_STEPS):
            weights = seen.masses * np.exp(bias)
            share = (weights[:, unknown] / weights.sum(axis=1)).mean()
            bias[unknown] += np.log(max(seen.masses[:, unknown].mean(), 1e-12) / max(share, 1e-12))
    return bias
