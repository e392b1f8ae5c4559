"""The tokens of the texts so far, as decoders see them, and what a chain keeps of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from genrun.sampling.chain import Chain, States

__all__ = ["Tokens", "TokensOfRows"]


class Tokens:
    """The ids of one text: those of its prompt, then ``new_ids``, a list that grows."""

    __slots__ = ("_array", "_followed", "_known", "_new_ids", "_prompt_ids", "_states")

    def __init__(self, prompt_ids: Sequence[int], new_ids: Sequence[int]) -> None:
        self._prompt_ids, self._new_ids = prompt_ids, new_ids
        self._array = np.zeros(0, np.int64)
        self._known = 0  # ids that are in the array
        self._states: States = ()
        self._followed = -1  # new ids that are in the states; -1: there are no states yet

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

    def states(self, chain: Chain) -> States:
        """Return the states of ``chain``, always the same one, after all ids; each id is followed once."""
        if self._followed < 0:
            self._states, self._followed = chain.first(self._prompt_ids), 0
        while self._followed < len(self._new_ids):
            self._states = chain.follow(self._states, self._new_ids[self._followed])
            self._followed += 1
        return self._states

    def adapt(self, chain: Chain, token: int, state: Any) -> None:
        """Follow ``token``, which the next new id is going to be, with ``state`` for what chose it."""
        self._states = (*chain.follow(self._states, token)[:-1], state)
        self._followed += 1


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
