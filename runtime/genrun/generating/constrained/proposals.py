"""From logits to what a constrained text may choose next: the chain's candidates, without what is not allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Decoder
from genrun.errors import ModelFileError, OptionError
from genrun.generating.stepping.session import NOT_NUMBERS
from genrun.sampling import Candidates, Chain, log_normalizers
from genrun.sampling.chain import States

__all__ = ["Allowed", "Proposals", "as_chain", "propose"]

OUTSIDE = -40.0  # log-weight of going on where the chain allows nothing: one in 2 * 10**17


def as_chain(decoder: Decoder) -> Chain:
    """Return ``decoder`` as a chain; raises OptionError for one that is neither a stage nor a chooser."""
    if isinstance(decoder, Chain):
        return decoder
    if callable(getattr(decoder, "apply", None)):
        return Chain((decoder,))
    if callable(getattr(decoder, "pick", None)):
        return Chain((), decoder)
    raise OptionError("a constraint needs a decoder that is a chain of stages, which say how likely a word is")


@dataclass(frozen=True, slots=True, eq=False)
class Allowed:
    """What some neighbouring rows, ``count``, may choose.

    ``classes``: int64 ``[vocabulary]``, the class of each token; ``rows``: bool ``[count, classes]``.
    """

    classes: NDArray[np.int64]
    rows: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.rows)

    def of(self, ids: NDArray[np.int64] | None) -> NDArray[np.bool_]:
        """Return for ``ids``, int64 ``[count, columns]``, which of them are allowed; None: for the vocabulary."""
        if ids is None:
            return self.rows[:, self.classes]
        allowed: NDArray[np.bool_] = self.rows[np.arange(len(ids))[:, None], self.classes[ids]]
        return allowed


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """What rows choose from: column i of a row is chosen in proportion to what ``cumulative`` gains there.

    ``ids``: int64 ``[rows, columns]``, None for the whole vocabulary. ``cumulative``: float64 ``[rows, columns]``,
    whole numbers. ``log_mass``: float64 ``[rows]``, the logarithm of the chain's probability of all that is allowed.
    """

    ids: NDArray[np.int64] | None
    cumulative: NDArray[np.float64]
    log_mass: NDArray[np.float64]

    def part(self, start: int, end: int) -> Proposals:
        """Return the rows from ``start`` to before ``end``."""
        ids = None if self.ids is None else self.ids[start:end]
        return Proposals(ids, self.cumulative[start:end], self.log_mass[start:end])

    def columns(self, rows: NDArray[np.int64], points: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the ids at ``points`` in [0, 1) of ``rows``; all are ``[choices]``."""
        scaled = points * self.cumulative[rows, -1]
        found = np.empty(len(rows), np.int64)
        for row in np.unique(rows):
            mine = rows == row
            found[mine] = np.searchsorted(self.cumulative[row], scaled[mine], side="right")
        return found if self.ids is None else self.ids[rows, found]


def propose(
    chain: Chain,
    logits: NDArray[np.float32],
    allowed: Sequence[Allowed],
    states: Sequence[States],
    draws: NDArray[np.float32],
) -> Proposals:
    """Return what rows choose from, for logits float32 ``[rows, vocabulary]``.

    The chain narrows and reweighs all candidates; then those that are not allowed are left out. Where none would be
    left, the chain gets only the allowed ones, and the mass is that by the model, times exp(OUTSIDE).
    """
    candidates = chain.distribution(logits, states, draws)
    weights = candidates.weights()  # [rows, columns]
    totals = weights.sum(axis=1)
    if not (totals > 0).all():
        raise ModelFileError(NOT_NUMBERS)
    weights[~_allowed(allowed, candidates.ids)] = 0
    masses = weights.sum(axis=1)
    with np.errstate(divide="ignore"):
        log_mass = np.log(masses / totals)
    ids = candidates.ids
    failed = (masses == 0).nonzero()[0]
    if failed.size:
        whole = _allowed(allowed, None)[failed]
        again, log_mass[failed] = _within(chain, logits[failed], whole, [states[i] for i in failed], draws[failed])
        ids, weights = _merged(ids, weights, again, failed, logits.shape[1])
    return Proposals(ids, np.cumsum(weights, axis=1), log_mass)


def _within(
    chain: Chain,
    logits: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    states: Sequence[States],
    draws: NDArray[np.float32],
) -> tuple[Candidates, NDArray[np.float64]]:
    """Return the chain's candidates of those ``allowed``, bool ``[rows, vocabulary]``, and their log-mass."""
    masked = np.where(allowed, logits, np.float32(-np.inf))
    dead = masked.max(axis=1) == -np.inf  # the model itself gives them no probability
    masked[dead] = logits[dead]
    found = chain.distribution(masked, states, draws)
    log_mass = log_normalizers(masked) - log_normalizers(logits) + OUTSIDE
    log_mass[dead] = -np.inf
    return found, log_mass


def _merged(
    ids: NDArray[np.int64] | None,
    weights: NDArray[np.float64],
    again: Candidates,
    rows: NDArray[np.intp],
    vocabulary: int,
) -> tuple[NDArray[np.int64] | None, NDArray[np.float64]]:
    """Return ids and weights with those of ``again`` in ``rows``."""
    other = again.weights()
    if ids is None and again.ids is None:
        weights[rows] = other
        return None, weights
    width = max(weights.shape[1], other.shape[1])
    all_ids, all_weights = np.zeros((len(weights), width), np.int64), np.zeros((len(weights), width))
    every = np.arange(vocabulary)[None]
    all_ids[:, : weights.shape[1]] = every if ids is None else ids
    all_weights[:, : weights.shape[1]] = weights
    all_weights[rows] = 0
    all_ids[rows, : other.shape[1]] = every if again.ids is None else again.ids
    all_weights[rows, : other.shape[1]] = other
    return all_ids, all_weights


def _allowed(allowed: Sequence[Allowed], ids: NDArray[np.int64] | None) -> NDArray[np.bool_]:
    """Return which ``ids``, int64 ``[rows, columns]``, or of the vocabulary, are allowed, bool ``[rows, columns]``."""
    found, start = [], 0
    for part in allowed:
        found.append(part.of(None if ids is None else ids[start : start + part.count]))
        start += part.count
    return found[0] if len(found) == 1 else np.concatenate(found)
