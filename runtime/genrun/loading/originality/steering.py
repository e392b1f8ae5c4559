"""Which tokens would copy one word too many: a fold over the words of a text, for the stage ``max-copied``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from genrun.errors import OptionError
from genrun.loading.originality.hashing import FACTOR, extended, mixed, salt
from genrun.loading.originality.run_table import BITS
from genrun.loading.originality.training_runs import TrainingRuns
from genrun.sampling.candidates import pairs

__all__ = ["Ends", "Written", "ends_of"]


class Written(NamedTuple):
    """The polynomials of the last 0, 1, … n words of a row, and the tokens whose first word would be one too many."""

    heads: tuple[int, ...]
    banned: tuple[int, ...]


_NOTHING = Written((0,), ())


def ends_of(runs: TrainingRuns, most: int) -> Ends:
    """Return the :class:`Ends` for ``runs`` and ``most``, which are made once; raises OptionError as it does."""
    found = runs.made.get(most)
    if not isinstance(found, Ends):
        found = runs.made[most] = Ends(runs, most)
    return found


class Ends:
    """Finds the tokens that would complete a run of more than ``most`` words of the training text.

    Raises OptionError for a ``most`` that the model file cannot tell, and for a model of subwords or characters.
    """

    def __init__(self, runs: TrainingRuns, most: int) -> None:
        if runs.tokenizer.kind != "word":
            raise OptionError(
                "max-copied needs a model whose tokens are words; for others results say what is copied"
            )
        accepted = range(runs.lengths[0] - 1, runs.lengths[-1])
        if most not in accepted:
            which = f"from {accepted[0]} to {accepted[-1]}" if len(accepted) > 1 else str(accepted[0])
            raise OptionError(f"max-copied must be {which} for this model, not {most}")
        self._runs, self._most, self._salt = runs, most, salt(most + 1)
        self._starting: list[list[int]] = [[] for _ in range(1 << BITS)]  # the tokens, by bits of their first words
        self._always: tuple[int, ...] = ()
        parts = list[_Part]()
        for token in range(len(runs.tokenizer)):
            words = runs.words_of_token(token)
            if words:
                self._starting[runs.table.last(words[0])].append(token)
                parts += [_Part(token, words, number) for number in range(1, len(words))]
        self._always = tuple([part.token for part in parts if part.number >= most and self._is_copied(part.words)])
        self._inner = _Inner.of([part for part in parts if part.number < most], most)

    def first(self, prompt: Sequence[int]) -> Written:
        """Return the state after the ids of a prompt."""
        return self._with_banned(reduce(self._followed, prompt, _NOTHING))

    def follow(self, state: Written, token: int) -> Written:
        """Return the state after one more token."""
        return self._with_banned(self._followed(state, token))

    def banned(self, states: Sequence[Written]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Return rows and tokens that must not come next, both ``[pairs]``; a pair may be there twice."""
        rows, tokens = pairs([state.banned + self._always for state in states])
        if self._inner is None:
            return rows, tokens
        inner = self._inner
        heads = self._heads(states)[:, inner.before]  # [rows, entries]
        found = self._runs.table.have(mixed((heads * inner.shift + inner.within) ^ inner.salt), inner.last)
        words = np.array([len(state.heads) - 1 for state in states])
        own, parts = np.nonzero(found & (words[:, None] >= inner.before))
        return np.concatenate([rows, own]), np.concatenate([tokens, inner.tokens[parts]])

    def _heads(self, states: Sequence[Written]) -> NDArray[np.uint64]:
        """Return the polynomials of the last 0, 1, … n words of rows, ``[rows, n + 1]``; 0 where a row has fewer."""
        missing = [(0,) * (self._most + 1 - len(state.heads)) for state in states]
        return np.array([state.heads + zeros for state, zeros in zip(states, missing, strict=True)], np.uint64)

    def _followed(self, state: Written, token: int) -> Written:
        words = self._runs.words_of_token(token)
        if words is None:
            return _NOTHING
        heads = state.heads
        for word in words:
            heads = (0, *[extended(head, word) for head in heads[: self._most]])
        return Written(heads, state.banned)

    def _with_banned(self, state: Written) -> Written:
        if len(state.heads) <= self._most:
            return Written(state.heads, ())
        bits = self._runs.table.lasts(mixed(state.heads[-1] ^ self._salt))
        return Written(state.heads, tuple([token for each in bits for token in self._starting[each]]))

    def _is_copied(self, words: Sequence[int]) -> bool:
        run = reduce(extended, words[-self._most - 1 : -1], 0)
        return self._runs.table.has(mixed(run ^ self._salt), words[-1])


class _Part:
    """The words of a token up to the one with a ``number``, counted from 0."""

    def __init__(self, token: int, words: Sequence[int], number: int) -> None:
        self.token, self.words, self.number = token, words[: number + 1], number


class _Inner(NamedTuple):
    """Tokens of several words, an entry for each word but the first; all arrays are ``[entries]``.

    ``before``: how many words of the row come before the token in the run; ``within``: the polynomial of the token's
    words before this one, and ``shift`` what the polynomial of the row is multiplied with; ``last``: its hash.
    """

    tokens: NDArray[np.int64]
    before: NDArray[np.int64]
    within: NDArray[np.uint64]
    shift: NDArray[np.uint64]
    last: NDArray[np.uint64]
    salt: np.uint64

    @classmethod
    def of(cls, parts: Sequence[_Part], most: int) -> _Inner | None:
        if not parts:
            return None
        within = [reduce(extended, part.words[:-1], 0) for part in parts]
        return cls(
            np.array([part.token for part in parts], np.int64),
            np.array([most - part.number for part in parts], np.int64),
            np.array(within, np.uint64),
            np.array([pow(FACTOR, part.number, 1 << 64) for part in parts], np.uint64),
            np.array([part.words[-1] for part in parts], np.uint64),
            np.uint64(salt(most + 1)),
        )
