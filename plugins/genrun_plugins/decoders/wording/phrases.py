"""The stages ``banned`` and ``wanted``: words and phrases that a text must not have, or that it should have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from genrun.contracts import Vocabulary
from genrun.sampling import Candidates
from genrun.sampling.candidates import pairs
from genrun_plugins._checks import check_number, check_phrases

__all__ = ["Banned", "Wanted"]


@dataclass(frozen=True, slots=True)
class Banned:
    """Leaves out the words ``phrases``; of several words, the last one where the others have just been written.

    (Hugging Face's ``bad_words_ids``.) The phrases are read as the model reads a prompt. Where nothing else is left,
    the word stays; so let this stage come before those that narrow. Of subwords, a phrase is found as it is usually
    divided. Raises OptionError for no phrase, and for words that the model does not have.

    >>> from types import SimpleNamespace
    >>> vocabulary = SimpleNamespace(encodings=lambda phrase: [tuple(map(int, phrase.split()))])
    >>> stage, logits = Banned(("2", "0 1")).bind(vocabulary), np.zeros((1, 4), np.float32)
    >>> stage.apply(Candidates(None, logits, 4), [stage.first([3, 0])], np.zeros(1, np.float32)).logits.tolist()
    [[0.0, -inf, -inf, 0.0]]
    """

    phrases: tuple[str, ...]

    def __post_init__(self) -> None:
        check_phrases(self.phrases)

    def bind(self, vocabulary: Vocabulary) -> _BoundBanned:
        """Return the stage for a model."""
        return _BoundBanned.of(self.phrases, vocabulary)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Adds ``bias`` to the logits of the words ``phrases``; of several words, to the last one after the others.

    (Hugging Face's ``sequence_bias``, OpenAI's ``logit_bias``.) The phrases are read as the model reads a prompt.
    ``bias``: any number; below 0, the words become less likely. Raises OptionError for no phrase, and for words that
    the model does not have.

    >>> from types import SimpleNamespace
    >>> vocabulary = SimpleNamespace(encodings=lambda phrase: [tuple(map(int, phrase.split()))])
    >>> stage, logits = Wanted(("2", "0 1"), bias=3.0).bind(vocabulary), np.zeros((1, 4), np.float32)
    >>> stage.apply(Candidates(None, logits, 4), [stage.first([3, 0])], np.zeros(1, np.float32)).logits.tolist()
    [[0.0, 3.0, 3.0, 0.0]]
    """

    phrases: tuple[str, ...]
    bias: float = 2.0

    def __post_init__(self) -> None:
        check_phrases(self.phrases)
        check_number("bias", self.bias)

    def bind(self, vocabulary: Vocabulary) -> _BoundWanted:
        """Return the stage for a model."""
        return _BoundWanted.of(self.phrases, vocabulary, self.bias)


@dataclass(frozen=True, slots=True)
class _Completed:
    """A fold whose state is the end of a row, and the ids that would complete one of the ``phrases`` there."""

    words: tuple[int, ...]  # phrases of one id
    phrases: tuple[tuple[int, ...], ...]  # longer ones
    longest: int

    @classmethod
    def of(cls, texts: Sequence[str], vocabulary: Vocabulary, *more: float) -> Self:
        found = dict.fromkeys(ids for text in texts for ids in vocabulary.encodings(text))
        longer = tuple(ids for ids in found if len(ids) > 1)
        return cls(tuple(ids[0] for ids in found if len(ids) == 1), longer, max(map(len, longer), default=1), *more)

    def first(self, prompt: Sequence[int]) -> tuple[int, ...]:
        return tuple(prompt[max(0, len(prompt) - self.longest + 1) :])

    def follow(self, state: tuple[int, ...], token: int) -> tuple[int, ...]:
        return (*state, token)[-self.longest + 1 :] if self.longest > 1 else ()

    def ids(self, states: Sequence[tuple[int, ...]]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """Return rows and ids, both ``[pairs]``, each id once a row."""
        found = [
            (*self.words, *(ids[-1] for ids in self.phrases if state[-len(ids) + 1 :] == ids[:-1]))
            for state in states
        ]
        once = [tuple(dict.fromkeys(row)) for row in found]
        return pairs(once)


@dataclass(frozen=True, slots=True)
class _BoundBanned(_Completed):
    def apply(
        self, candidates: Candidates, states: Sequence[tuple[int, ...]], draws: NDArray[np.float32]
    ) -> Candidates:
        return candidates.without(*self.ids(states))


@dataclass(frozen=True, slots=True)
class _BoundWanted(_Completed):
    bias: float

    def apply(
        self, candidates: Candidates, states: Sequence[tuple[int, ...]], draws: NDArray[np.float32]
    ) -> Candidates:
        rows, columns, _ = candidates.columns_of(*self.ids(states))
        logits = candidates.logits.copy()
        logits[rows, columns] += np.float32(self.bias)
        return candidates.with_logits(logits)
