"""Which documents are left out: the options that all readers of files have in common."""

from __future__ import annotations

import hashlib
import re

from genrun.errors import OptionError
from genrun.reading.decoding import UNDECODABLE

__all__ = ["Sieve", "check_sieve"]

_RANGE = 2**64


def check_sieve(drop_pattern: str, minimum_length: int, maximum_length: int, sample: float) -> None:
    """Raise OptionError for a pattern that is none, and for lengths or a share that leave nothing.

    >>> check_sieve("[", 0, 0, 1.0)
    Traceback (most recent call last):
    genrun.errors.OptionError: drop_pattern '[' is no regular expression: unterminated character set at position 0
    """
    try:
        re.compile(drop_pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise OptionError(f"drop_pattern {drop_pattern!r} is no regular expression: {error}") from error
    if minimum_length < 0 or maximum_length < 0:
        raise OptionError("minimum_length and maximum_length are numbers of characters: 0 (off) or more")
    if maximum_length and maximum_length < minimum_length:
        raise OptionError(f"maximum_length={maximum_length} is below minimum_length={minimum_length}")
    if not 0 < sample <= 1:
        raise OptionError(f"sample is a share of the documents: above 0 and up to 1, not {sample}")


class Sieve:
    """Decides for each document of one reading whether it is kept.

    >>> sieve = Sieve("^Chapter", 2, 0, deduplicate=True, sample=1.0)
    >>> [sieve.reason(document) for document in ("Chapter 1", "I", "The sea", "The sea")]
    ['drop_pattern', 'too short', None, 'duplicate']
    """

    def __init__(
        self, drop_pattern: str, minimum_length: int, maximum_length: int, *, deduplicate: bool, sample: float
    ) -> None:
        self._pattern = re.compile(drop_pattern) if drop_pattern else None
        self._minimum, self._maximum = minimum_length, maximum_length
        self._share = None if sample == 1 else int(sample * _RANGE)
        self._seen: set[int] | None = set() if deduplicate else None

    @property
    def keeps_all(self) -> bool:
        """Whether no option leaves anything out; undecodable documents are not among what ``reason`` finds then."""
        return not (
            self._pattern or self._minimum or self._maximum or self._seen is not None or self._share is not None
        )

    def reason(self, document: str) -> str | None:
        """Return why ``document`` is left out; None if it is kept."""
        if UNDECODABLE in document:
            return "undecodable"
        if len(document) < self._minimum:
            return "too short"
        if self._maximum and len(document) > self._maximum:
            return "too long"
        if self._pattern and self._pattern.search(document):
            return "drop_pattern"
        if self._seen is not None:
            if (digest := _hash(document, b"duplicate")) in self._seen:
                return "duplicate"
            self._seen.add(digest)
        if self._share is not None and _hash(document, b"sample") >= self._share:
            return "not in the sample"
        return None


def _hash(document: str, what: bytes) -> int:
    """Return 64 bits of a document; ``what`` makes the bits of one decision independent of those of another."""
    digest = hashlib.blake2b(document.encode("utf-8", "surrogatepass"), digest_size=8, person=what).digest()
    return int.from_bytes(digest, "little")
