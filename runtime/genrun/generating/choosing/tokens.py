"""The tokens of the texts so far, as decoders see them: arrays that are made when they are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

__all__ = ["Tokens", "TokensOfRows"]


class Tokens:
    """The ids of one text: those of its prompt, then ``new_ids``, a list that grows."""

    __slots__ = ("_array", "_known", "_new_ids", "_prompt_ids")

    def __init__(self, prompt_ids: Sequence[int], new_ids: Sequence[int]) -> None:
        self._prompt_ids, self._new_ids = prompt_ids, new_ids
        self._array = np.zeros(0, np.int64)
        self._known = 0  # ids that are in the array

    def array(self) -> NDArray[np.int64]:
        """Return all ids, int64 ``[length]``, read-only; only those that are new since the last call are copied."""
        prompt = len(self._prompt_ids)
        length = prompt + len(self._new_ids)
        if length > len(self._array):
            self._array = np.zeros(2 * length, np.int64)
            self._array[:prompt], self._known = self._prompt_ids, prompt
        self._array[self._known : length] = self._new_ids[self._known - prompt :]
        self._known = length
        view = self._array[:length]
        view.flags.writeable = False
        return view


class TokensOfRows(Sequence[NDArray[np.int64]]):
    """The ids of several texts, one array per row."""

    def __init__(self, texts: Sequence[Tokens]) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, index: int) -> NDArray[np.int64]: ...
    @overload
    def __getitem__(self, index: slice) -> list[NDArray[np.int64]]: ...
    def __getitem__(self, index: int | slice) -> NDArray[np.int64] | list[NDArray[np.int64]]:
        if isinstance(index, slice):
            return [text.array() for text in self._texts[index]]
        return self._texts[index].array()
