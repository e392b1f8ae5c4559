"""The open end of a prompt while its first new tokens are chosen: they repeat it, and the last one may go beyond."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genrun.tokenizer import Tokenizer

__all__ = ["OpenPrompt"]


class OpenPrompt:
    """The tokens that one row may choose next: those that begin with the rest of the prompt, or its usual next one.

    ``ids``: the usual tokens of the open end. ``letters``: how many letters of bytes it has.
    """

    __slots__ = ("_ids", "_rest", "_tokenizer", "letters")

    def __init__(self, tokenizer: Tokenizer, ids: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._ids = list(ids)
        self._rest = "".join([tokenizer.vocabulary[token] for token in ids])
        self.letters = len(self._rest)

    def __bool__(self) -> bool:
        """Return whether a part of the prompt is still to be repeated."""
        return bool(self._ids)

    def allowed(self) -> NDArray[np.int64] | None:
        """Return the tokens that may be chosen, int64 ``[tokens]``; None for all, once the prompt is repeated."""
        if not self._ids or self._tokenizer.subwords is None:
            return None
        found = self._tokenizer.subwords.beginning_with(self._rest)
        return np.union1d(found, self._ids[:1])

    def after(self, token: int) -> OpenPrompt:
        """Return what is left after ``token``; this one does not change."""
        other = copy.copy(self)
        other._ids = list(self._ids)
        other.push(token)
        return other

    def push(self, token: int) -> None:
        """Go on with a chosen ``token``."""
        if self._ids and token == self._ids[0]:
            self._rest = self._rest[len(self._tokenizer.vocabulary[token]) :]
            del self._ids[0]
        else:  # it begins with all the rest
            self._ids.clear()
