"""Which documents of a corpus are held out: a hash of each decides, so that a growing corpus keeps them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genrun.errors import OptionError

__all__ = ["SplitRule"]

_BITS = 62  # of a hash


@dataclass(frozen=True, slots=True)
class SplitRule:
    """Holds out about ``share`` of the documents, chosen by a hash of ``seed`` and the document.

    Documents that are exactly alike fall on the same side. Which side a document falls on depends on no other one.
    ``running_text``: the documents are one text, whose last ones are held out. ``own_documents``: documents that were
    given for validation; they come last and are held out, in place of a share.
    """

    share: float = 0.0
    seed: int = 0
    running_text: bool = False
    own_documents: bool = False

    def hash(self, document: str) -> int:
        """Return a number below 2**62 that is the same for the same document and seed, everywhere.

        >>> SplitRule(0.1).hash("a rose") == SplitRule(0.2).hash("a rose") != SplitRule(0.1, seed=1).hash("a rose")
        True
        """
        digest = hashlib.blake2b(document.encode(), digest_size=8, salt=self.seed.to_bytes(16, "little")).digest()
        return int.from_bytes(digest, "little") >> (64 - _BITS)

    def is_held_out(self, number: int) -> bool:
        """Return whether a document with this hash is held out, unless :meth:`held_out` has to choose otherwise."""
        return not (self.running_text or self.own_documents) and number < self.share * 2**_BITS

    def held_out(self, hashes: NDArray[np.int64], own: int = 0) -> NDArray[np.int64]:
        """Return which documents are held out, int64: the numbers of them, in order.

        ``hashes``: those of all documents; ``own``: how many of them, the last ones, were given for validation.
        Where the share of a small corpus would hold out none, or all, one kind of document falls on the other side.
        Raises OptionError if nothing is left to train on, or a share above 0 holds out nothing.
        """
        count = len(hashes)
        if self.own_documents:
            return np.arange(count - own, count)
        if not self.share:
            return np.arange(0)
        if self.running_text:
            found = np.arange(count - max(round(count * self.share), min(1, count - 1)), count)
        else:
            chosen = hashes < self.share * 2**_BITS
            if not chosen.any():
                chosen = hashes == hashes.min()
            if chosen.all():
                chosen = hashes < hashes.max()
            found = np.flatnonzero(chosen)
        if not 0 < len(found) < count:
            alike = ", which are all alike," if count > 1 and len(np.unique(hashes)) == 1 else ""
            raise OptionError(
                f"a validation share of {self.share} of {count} documents{alike} leaves {len(found)} for validation "
                f"and {count - len(found)} for training; choose another, or --set validation=0 to train on all"
            )
        return found
