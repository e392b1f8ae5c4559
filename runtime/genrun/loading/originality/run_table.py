"""A set of runs of words as sorted, truncated hashes: two bytes a run as text, no run is missed, a few are mistaken.

A run is a *beginning*, the hash of all its words but the last, and the hash of its last word. The beginning names one
of as many buckets as there are runs, which holds ten bits of each of its runs: those of the last word, combined with
those of the beginning. In the file a bucket is its number of runs, as ones and a zero. (Bentley & McIlroy's and
Golomb's way to store sorted numbers; Cleary, "Compact Hash Tables Using Bidirectional Linear Probing", 1984.)
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genrun.loading.metadata_values import Malformed, is_whole
from genrun.loading.originality.hashing import extended, mixed

__all__ = ["BITS", "MOST_RUNS", "RunTable"]

BITS = 10  # of a run, in its bucket
MOST_RUNS = 1 << 23
_LAST = np.uint64(64 - BITS)
_ONES = (1 << BITS) - 1
_HALF = np.uint64(32)


class RunTable:
    """Runs of words, by hashes; immutable.

    ``fingerprints``: uint16 ``[runs]``, bucket by bucket; ``offsets``: int32 ``[buckets + 1]``, where each begins.
    """

    def __init__(self, fingerprints: NDArray[np.uint16], offsets: NDArray[np.int32]) -> None:
        self._fingerprints, self._offsets = fingerprints, offsets
        self._few, self._at = fingerprints.data, offsets.data  # faster for single items
        self.buckets = len(offsets) - 1

    def __len__(self) -> int:
        """Return the number of runs."""
        return len(self._fingerprints)

    @classmethod
    def of(cls, beginnings: NDArray[np.uint64], lasts: NDArray[np.uint64]) -> RunTable:
        """Return the table of the runs with these ``beginnings`` and hashes of their ``lasts`` words, ``[runs]``.

        >>> table = RunTable.of(np.array([7, 8], np.uint64) << np.uint64(60), np.array([1, 2], np.uint64))
        >>> len(table), table.has(7 << 60, 1), table.lasts(8 << 60) == [table.last(2)]
        (2, True, True)
        """
        _, different = np.unique(mixed(extended(beginnings, lasts)), return_index=True)
        beginnings, lasts, buckets = beginnings[different], lasts[different], len(different)
        values = np.unique(
            ((beginnings >> _HALF) * np.uint64(buckets) >> _HALF) << np.uint64(BITS)
            | (beginnings ^ (lasts >> _LAST)) & np.uint64(_ONES)
        )
        counts = np.bincount((values >> np.uint64(BITS)).astype(np.int64), minlength=buckets)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        return cls((values & np.uint64(_ONES)).astype(np.uint16), offsets)

    @staticmethod
    def last(word: int) -> int:
        """Return the bits of the hash of a word that :meth:`lasts` returns."""
        return word >> (64 - BITS)

    def lasts(self, beginning: int) -> list[int]:
        """Return the ten bits of each last word of a run with this ``beginning``."""
        if not self.buckets:
            return []
        bucket, own = (beginning >> 32) * self.buckets >> 32, beginning & _ONES
        return [bits ^ own for bits in self._few[self._at[bucket] : self._at[bucket + 1]]]

    def has(self, beginning: int, word: int) -> bool:
        """Return whether the table has the run, or one that is taken for it."""
        if not self.buckets:
            return False
        bucket = (beginning >> 32) * self.buckets >> 32
        return ((beginning ^ (word >> (64 - BITS))) & _ONES) in self._few[self._at[bucket] : self._at[bucket + 1]]

    def places(self, beginnings: Sequence[int], words: Sequence[int]) -> list[int]:
        """Return the places of the runs that :meth:`has` would find; ``words`` are the last ones of the runs."""
        few, at, buckets = self._few, self._at, self.buckets
        if not buckets:
            return []
        return [
            place
            for place, (beginning, word) in enumerate(zip(beginnings, words, strict=True))
            if (beginning ^ (word >> (64 - BITS))) & _ONES
            in few[at[bucket := (beginning >> 32) * buckets >> 32] : at[bucket + 1]]
        ]

    def have(self, beginnings: NDArray[np.uint64], lasts: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Return :meth:`has` for arrays of beginnings and hashes of last words, bool, as they broadcast."""
        beginnings, lasts = np.broadcast_arrays(beginnings, lasts)
        wanted = ((beginnings ^ (lasts >> _LAST)) & np.uint64(_ONES)).astype(np.uint16)
        found = np.zeros(wanted.shape, np.bool_)
        if not self.buckets:
            return found
        buckets = ((beginnings >> _HALF) * np.uint64(self.buckets) >> _HALF).astype(np.int64)
        starts = self._offsets[buckets]
        loads = (self._offsets[buckets + 1] - starts).reshape(-1)  # [wanted runs]
        own = np.repeat(np.arange(loads.size), loads)  # of each fingerprint, the wanted run that it may be
        firsts = starts.reshape(-1) - (np.cumsum(loads) - loads)
        same = self._fingerprints[firsts[own] + np.arange(own.size)] == wanted.reshape(-1)[own]
        found.reshape(-1)[own[same]] = True
        return found

    def false_positives(self) -> float:
        """Return how often a run is taken for one of the table although only its beginning is that of one."""
        loads = np.diff(self._offsets).astype(np.float64)
        return float((loads**2).sum() / max(loads.sum(), 1.0) / (1 << BITS))

    def to_text(self) -> str:
        """Return the table as text, about two bytes a run."""
        bits = (self._fingerprints[:, None] >> np.arange(BITS, dtype=np.uint16)) & 1  # [runs, bits]
        counts = np.ones(len(self) + self.buckets, np.uint8)
        counts[self._offsets[1:] + np.arange(self.buckets)] = 0
        packed = np.packbits(np.concatenate([counts, bits.astype(np.uint8).reshape(-1)]))
        return base64.b64encode(packed.tobytes()).decode()

    @classmethod
    def from_text(cls, text: object, runs: object, buckets: object) -> RunTable:
        """Return the table of a text of :meth:`to_text`; raises Malformed for anything else."""
        if not (isinstance(text, str) and is_whole(runs) and is_whole(buckets) and 0 <= runs <= buckets <= MOST_RUNS):
            raise Malformed("genrun.originality needs 'runs', 'buckets' and 'table'")
        try:
            content = base64.b64decode(text, validate=True)
        except (ValueError, binascii.Error):
            raise Malformed("genrun.originality: its table is not base64") from None
        size = buckets + runs + runs * BITS
        if len(content) != -(-size // 8):
            raise Malformed(f"genrun.originality: its table has {len(content):,} bytes, not those of {runs:,} runs")
        bits = np.unpackbits(np.frombuffer(content, np.uint8), count=size)
        ends = np.flatnonzero(bits[: buckets + runs] == 0)
        if len(ends) != buckets or (buckets and ends[-1] != buckets + runs - 1):
            raise Malformed("genrun.originality: its table is damaged")
        offsets = np.concatenate([[0], ends - np.arange(buckets)]).astype(np.int32)
        if np.diff(offsets).max(initial=0) > 1 << BITS:  # the runs of a bucket are different
            raise Malformed("genrun.originality: its table is damaged")
        weights = (1 << np.arange(BITS)).astype(np.uint16)
        return cls(bits[buckets + runs :].reshape(runs, BITS) @ weights, offsets)
