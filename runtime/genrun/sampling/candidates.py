"""The candidates of a batch: what the stages of a chain hand on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.sampling.logits import top_k
from genrun.sampling.weights import UNITS, exact_weights

__all__ = ["Candidates", "exact_sums", "pairs"]

_FEW = 128  # columns that are not worth packing into fewer
_PACKED = 4  # the whole vocabulary is packed if this part of it, or less, is left
_OUT = np.full((1, 1), -np.inf, np.float32)
_ENTROPY_UNITS = 2.0**40  # of whole numbers: their sums are exact in any order, and hide the last bits of an exp
_BITS = 31  # of a number in an exact sum; 2**21 of them fit into a float64


@dataclass(slots=True, eq=False)  # not frozen: some are made for each token, and it would take twice as long
class Candidates:
    """The tokens that a row may choose from, and their logits; nothing of them must be changed, arrays are shared.

    ``logits``: float32 ``[batch, c]``, minus infinity for what is out. ``ids``: int64 ``[batch, c]``, -1 in columns
    that a row does not have; None if the columns are the ids of the whole vocabulary. A draw goes through the
    columns from the first to the last. ``vocabulary``: how many ids there are.

    >>> whole = Candidates(None, np.log(np.array([[0.25, 0.5, 0.25, 0.0]], np.float32) + np.float32(1e-30)), 4)
    >>> whole.top(2).ids.tolist(), whole.probabilities().round(6).tolist()
    ([[1, 0]], [[0.25, 0.5, 0.25, 0.0]])
    """

    ids: NDArray[np.int64] | None
    logits: NDArray[np.float32]
    vocabulary: int
    _known: dict[str, Any] = field(default_factory=dict, init=False, repr=False)  # what has been computed of them

    def with_logits(self, logits: NDArray[np.floating], *, highest: NDArray[np.float32] | None = None) -> Candidates:
        """Return the same candidates with other logits ``[batch, c]``; ``highest``: those of the rows, if known."""
        return Candidates(self.ids, np.asarray(logits, np.float32), self.vocabulary)._with_highest(highest)

    def highest(self) -> NDArray[np.float32]:
        """Return the highest logit of each row, float32 ``[batch, 1]``, which must not be changed."""
        found: NDArray[np.float32] | None = self._known.get("highest")
        if found is None:
            found = self._known["highest"] = np.maximum.reduce(self.logits, axis=1, keepdims=True)
        return found

    def keep_likely(self, kept: NDArray[np.bool_]) -> Candidates:
        """Return what :meth:`keep` returns, for a caller that keeps the highest candidate of each row."""
        weights: NDArray[np.float64] | None = self._known.get("weights")
        places = self._few(kept)
        if places is not None:
            left = self._packed(places, weights)
        else:
            left = Candidates(self.ids, np.where(kept, self.logits, _OUT), self.vocabulary)
            if weights is not None:
                left._known["weights"] = weights * kept
        return left._with_highest(self._known.get("highest"))

    def _with_highest(self, highest: NDArray[np.float32] | None) -> Candidates:
        if highest is not None:
            self._known["highest"] = highest
        return self

    def keep(self, kept: NDArray[np.bool_]) -> Candidates:
        """Return those candidates for which ``kept``, ``[batch, c]``, is true, in the same order.

        A row that would have no candidate left keeps those that it has.
        """
        places = self._few(kept)
        if places is not None:
            packed = self._packed(places)
            if packed.logits.max(axis=1, initial=-np.inf).min() > -np.inf:
                return packed
        masked = np.where(kept, self.logits, _OUT)
        highest = np.maximum.reduce(masked, axis=1, keepdims=True)
        if (highest.item() if len(highest) == 1 else highest.min(initial=np.inf)) > -np.inf:
            return Candidates(self.ids, masked, self.vocabulary)._with_highest(highest)
        lost = highest[:, 0] == -np.inf
        masked[lost] = self.logits[lost]
        return Candidates(self.ids, masked, self.vocabulary)

    def without(self, rows: NDArray[np.intp], ids: NDArray[np.int64]) -> Candidates:
        """Return the candidates but those of the pairs of ``rows`` and ``ids``, both ``[pairs]``; as :meth:`keep`."""
        if not len(rows):
            return self
        rows, columns, _ = self.columns_of(rows, ids)
        left = self.logits.copy()
        left[rows, columns] = -np.inf
        lost = left.max(axis=1) == -np.inf
        if lost.any():
            left[lost] = self.logits[lost]
        return Candidates(self.ids, left, self.vocabulary)

    def _few(self, kept: NDArray[np.bool_]) -> NDArray[np.intp] | None:
        """Return the places of what is ``kept`` in all rows, one after another, if it is worth packing."""
        if self.logits.shape[1] <= _FEW:
            return None
        found = kept.reshape(-1).nonzero()[0]
        return found if found.size * _PACKED <= kept.size else None

    def _packed(self, found: NDArray[np.intp], weights: NDArray[np.float64] | None = None) -> Candidates:
        """Return the candidates at the places ``found`` of the flat arrays, in as many columns as are needed.

        ``weights``: those of all candidates, if they stay valid.
        """
        batch, width = self.logits.shape
        values = self.logits.take(found)
        if batch == 1:
            ids = found if self.ids is None else self.ids.take(found)
            left = Candidates(ids.astype(np.int64, copy=False)[None], values[None], self.vocabulary)
            if weights is not None:
                left._known["weights"] = weights.take(found)[None]
            return left
        rows = found // width
        counts = np.bincount(rows, minlength=batch)
        used = np.arange(counts.max()) < counts[:, None]  # [batch, c]
        packed = np.full(used.shape, -1, np.int64)
        packed[used] = found - rows * width if self.ids is None else self.ids.reshape(-1)[found]
        logits = np.full(used.shape, -np.inf, np.float32)
        logits[used] = values
        left = Candidates(packed, logits, self.vocabulary)
        if weights is not None:
            own = left._known["weights"] = np.zeros(used.shape)
            own[used] = weights.reshape(-1)[found]
        return left

    def top(self, k: int) -> Candidates:
        """Return the ``k`` highest candidates, the highest first, of equal ones the first; all if there are fewer."""
        columns = top_k(self.logits, k)  # [batch, k]
        if len(columns) == 1:
            ids = columns if self.ids is None else self.ids.take(columns)
            logits = self.logits.take(columns)
        else:
            rows = np.arange(len(columns))[:, None]
            ids = columns if self.ids is None else self.ids[rows, columns]
            logits = self.logits[rows, columns]
        return Candidates(ids, logits, self.vocabulary)._with_highest(logits[:, :1])

    def weights(self, temperature: float = 1.0) -> NDArray[np.float64]:
        """Return the probabilities, times a number for each row, as whole numbers; float64 ``[batch, c]``.

        These are softmax(logits / temperature). Raises ValueError for a ``temperature`` that is not above 0.
        """
        if temperature == 1 and "weights" in self._known:
            return self._weights().copy()
        return exact_weights(self.logits, temperature, self.highest())

    def probabilities(self) -> NDArray[np.float64]:
        """Return softmax(logits), float64 ``[batch, c]``; 0 where 2**33 times below the highest."""
        weights = self._weights()
        probabilities: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
        return probabilities

    def log_probabilities(self) -> NDArray[np.float64]:
        """Return log softmax(logits), float64 ``[batch, c]``, minus infinity for what is out."""
        return self._logs().copy()

    def entropy(self) -> NDArray[np.float64]:
        """Return the entropy of each row in nats, float64 ``[batch]``."""
        logs = self._logs()
        terms = np.exp(logs)
        terms *= np.maximum(logs, -1e300)  # not minus infinity, since 0 times that is NaN
        terms *= -_ENTROPY_UNITS
        sums: NDArray[np.float64] = np.add.reduce(np.rint(terms, terms), axis=1)
        return sums / _ENTROPY_UNITS

    def _weights(self) -> NDArray[np.float64]:
        """Return the weights at temperature 1; they are computed once, and must not be changed."""
        found: NDArray[np.float64] | None = self._known.get("weights")
        if found is None:
            found = self._known["weights"] = exact_weights(self.logits, 1.0, self.highest())
        return found

    def _logs(self) -> NDArray[np.float64]:
        """Return the log-probabilities; they are computed once, and must not be changed."""
        found: NDArray[np.float64] | None = self._known.get("logs")
        if found is None:
            totals = np.add.reduce(self._weights(), axis=1, keepdims=True) / UNITS
            found = np.subtract(self.logits, self.highest(), dtype=np.float64)
            found -= np.log(totals)
            self._known["logs"] = found
        return found

    def columns_of(
        self, rows: NDArray[np.intp], ids: NDArray[np.int64]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
        """Return rows and columns of those pairs of ``rows`` and ``ids`` that are columns here, and their numbers.

        All three are ``[found]``, the last one counts in ``rows``, which is ``[pairs]`` as ``ids`` is.
        """
        if self.ids is None:
            return rows, ids.astype(np.intp, copy=False), np.arange(len(rows))
        which, columns = (self.ids[rows] == ids[:, None]).nonzero()
        return rows[which], columns, which

    def whole(self) -> NDArray[np.float32]:
        """Return the logits of the whole vocabulary, float32 ``[batch, vocabulary]``, in an array of their own."""
        if self.ids is None:
            return self.logits.copy()
        spread = np.full((len(self.logits), self.vocabulary), -np.inf, np.float32)
        rows, columns = (self.ids >= 0).nonzero()
        spread[rows, self.ids[rows, columns]] = self.logits[rows, columns]
        return spread

    def ids_at(self, columns: NDArray[np.intp]) -> NDArray[np.int64]:
        """Return the id in one column of each row; ``columns`` and the result are ``[batch]``."""
        if self.ids is None:
            return columns.astype(np.int64, copy=False)
        rows = 0 if len(columns) == 1 else np.arange(len(columns))
        found: NDArray[np.int64] = self.ids[rows, columns]
        return found


def pairs(ids: Sequence[Sequence[int]]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return the ids of all rows, int64 ``[pairs]``, behind the number of each one's row.

    >>> [part.tolist() for part in pairs([(7, 8), (), (9,)])]
    [[0, 0, 2], [7, 8, 9]]
    """
    counts = list(map(len, ids))
    rows = np.zeros(counts[0], np.intp) if len(counts) == 1 else np.repeat(np.arange(len(counts)), counts)
    return rows, np.fromiter(chain.from_iterable(ids), np.int64, len(rows))


def exact_sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of each row, float64 ``[batch]``, the same to the bit with any number of zeros among its values.

    The values are rounded to multiples of about a two-billionth of the row's largest one.
    """
    _, exponents = np.frexp(np.abs(values).max(axis=1))
    sums: NDArray[np.float64] = np.rint(np.ldexp(values, (_BITS - exponents)[:, None])).sum(axis=1)
    scaled: NDArray[np.float64] = np.ldexp(sums, exponents - _BITS)
    return scaled
