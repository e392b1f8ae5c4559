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

_NOTHING, _OUT = np.float32(0), np.float32(-np.inf)
_FEW = 128  # columns that are all compared with a point
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

    ``classes``: int64 ``[vocabulary]``, the class of each token; ``rows``: float64 ``[count, classes]``, by how much
    each class is preferred, 0 if it is not allowed.
    """

    classes: NDArray[np.int64]
    rows: NDArray[np.float64]

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.rows)

    def of(self, ids: NDArray[np.int64] | None) -> NDArray[np.float64]:
        """Return how much ``ids``, int64 ``[count, columns]``, are preferred; None: all of the vocabulary."""
        if ids is None:
            return self.rows.take(self.classes, axis=1)
        allowed: NDArray[np.float64] = self.rows[np.arange(len(ids))[:, None], self.classes[ids]]
        return allowed

    def refused(self) -> NDArray[np.float32]:
        """Return minus infinity for each token that is not allowed, 0 for the others, ``[count, vocabulary]``."""
        return np.where(self.rows > 0, _NOTHING, _OUT).take(self.classes, axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Proposals:
    """What rows choose from: column i of a row is chosen in proportion to what ``cumulative`` gains there.

    ``ids``: int64 ``[rows, columns]``, None for the whole vocabulary. ``cumulative``: float64 ``[rows, columns]``,
    at least 0. ``log_mass``: float64 ``[rows]``, the logarithm of the chain's probability of all that is allowed,
    each token times how much it is preferred.
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
        if self.cumulative.shape[1] <= _FEW:
            found[:] = (self.cumulative[rows] <= scaled[:, None]).sum(axis=1)
        else:
            for row in np.unique(rows):
                mine = rows == row
                found[mine] = np.searchsorted(self.cumulative[row], scaled[mine], side="right")
        if self.ids is not None:
            found[:] = self.ids[rows, found]
        return found


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
    weights *= _allowed(allowed, candidates.ids)
    ids = candidates.ids
    failed = (weights.max(axis=1) == 0).nonzero()[0]
    outside = np.zeros(len(logits))
    if failed.size:
        parts = _only(allowed, failed)
        again, outside[failed] = _within(chain, logits[failed], parts, [states[i] for i in failed], draws[failed])
        others = again.weights()
        totals[failed] = others.sum(axis=1)
        others *= _allowed(parts, again.ids)
        ids, weights = _merged(ids, weights, again.ids, others, failed, logits.shape[1])
    cumulative = np.cumsum(weights, axis=1, out=weights)  # one after another: zeros between do not change a sum
    with np.errstate(divide="ignore"):
        log_mass = np.log(cumulative[:, -1] / totals) + outside
    return Proposals(ids, cumulative, log_mass)


def _only(allowed: Sequence[Allowed], rows: NDArray[np.intp]) -> list[Allowed]:
    """Return what ``rows``, which rise, may choose."""
    kept, start = list[Allowed](), 0
    for part in allowed:
        mine = rows[(rows >= start) & (rows < start + part.count)] - start
        if mine.size:
            kept.append(Allowed(part.classes, part.rows[mine]))
        start += part.count
    return kept


def _within(
    chain: Chain,
    logits: NDArray[np.float32],
    allowed: Sequence[Allowed],
    states: Sequence[States],
    draws: NDArray[np.float32],
) -> tuple[Candidates, NDArray[np.float64]]:
    """Return the chain's candidates of those ``allowed``, and the log-probability of these by the model."""
    masked = logits + np.concatenate([part.refused() for part in allowed])
    dead = masked.max(axis=1) == -np.inf  # the model itself gives them no probability
    masked[dead] = logits[dead]
    found = chain.distribution(masked, states, draws)
    log_mass = log_normalizers(masked) - log_normalizers(logits) + OUTSIDE
    log_mass[dead] = -np.inf
    return found, log_mass


def _merged(
    ids: NDArray[np.int64] | None,
    weights: NDArray[np.float64],
    other_ids: NDArray[np.int64] | None,
    other: NDArray[np.float64],
    rows: NDArray[np.intp],
    vocabulary: int,
) -> tuple[NDArray[np.int64] | None, NDArray[np.float64]]:
    """Return ids and weights with the ``other`` ones in ``rows``."""
    if ids is None and other_ids is None:
        weights[rows] = other
        return None, weights
    width = max(weights.shape[1], other.shape[1])
    all_ids, all_weights = np.zeros((len(weights), width), np.int64), np.zeros((len(weights), width))
    every = np.arange(vocabulary)[None]
    all_ids[:, : weights.shape[1]] = every if ids is None else ids
    all_weights[:, : weights.shape[1]] = weights
    all_weights[rows] = 0
    all_ids[rows, : other.shape[1]] = every if other_ids is None else other_ids
    all_weights[rows, : other.shape[1]] = other
    return all_ids, all_weights


def _allowed(allowed: Sequence[Allowed], ids: NDArray[np.int64] | None) -> NDArray[np.float64]:
    """Return how much ``ids``, int64 ``[rows, columns]``, or all of the vocabulary are preferred, the same shape."""
    found, start = [], 0
    for part in allowed:
        found.append(part.of(None if ids is None else ids[start : start + part.count]))
        start += part.count
    return found[0] if len(found) == 1 else np.concatenate(found)
