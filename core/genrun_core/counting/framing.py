"""Documents as one stream of tokens that n-grams are cut from, without going across their beginnings."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Framed", "frame"]


class Framed(NamedTuple):
    """Documents, one after another, as a network sees them.

    ``tokens``: int64 ``[length]``; ``position``: how many tokens of the document are before each; ``predicted``:
    whether a token is predicted: all but the first of a document, and the boundary, which is no token.
    """

    tokens: NDArray[np.int64]
    position: NDArray[np.int64]
    predicted: NDArray[np.bool_]


def frame(ids: NDArray[np.int32], offsets: NDArray[np.int64], boundary: int | None) -> Framed:
    """Return the documents ``ids[offsets[i]:offsets[i + 1]]`` framed; those without tokens are left out.

    ``boundary``: a number that no token has, which is put before each document, so that its beginning is a context
    like another; None puts nothing there, as where every document begins with ``<start>`` anyway.
    """
    lengths = np.diff(offsets)
    starts, lengths = offsets[:-1][lengths > 0], lengths[lengths > 0]
    begins = np.cumsum(lengths) - lengths  # where each document begins, empty ones left out
    tokens = ids[np.arange(int(lengths.sum())) + np.repeat(starts - begins, lengths)].astype(np.int64)
    if boundary is not None:
        tokens, lengths = np.insert(tokens, begins, boundary), lengths + 1
    position = np.arange(len(tokens)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return Framed(tokens, position, position > (boundary is not None))
