"""Which texts, as far as they are written, are whole documents of the training text: a fold over their tokens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

from genrun.loading.originality.hashing import extended
from genrun.loading.originality.training_runs import TrainingRuns
from genrun.tokenizer.plain_words import words_of
from genrun.tokenizer.subwords.byte_letters import bytes_of

__all__ = ["Begun", "Lines", "lines_of"]

_LINES = -1  # what is made of the runs for a number of words has that number


class Begun(NamedTuple):
    """A text as far as it is written: the polynomial of its words up to the last space, and the tokens from there on.

    ``words`` is None for a text that no document can be.
    """

    words: int | None = 0
    rest: tuple[int, ...] = ()


def lines_of(runs: TrainingRuns) -> Lines:
    """Return the fold for the kind of tokens that the model has, which is made once for ``runs``.

    ``is_line`` returns whether a text is a document of the training text; of a few in a thousand that is not true.
    """
    found = runs.made.get(_LINES)
    if not isinstance(found, Lines):
        found = runs.made[_LINES] = _OfWords(runs) if runs.tokenizer.kind == "word" else _OfParts(runs)
    return found


class _OfWords:
    """Tokens are words, or several words, or marks. No document has a special token between its words."""

    def __init__(self, runs: TrainingRuns) -> None:
        self._runs = runs
        self._unknown = runs.tokenizer.special("unk")

    def first(self, prompt: Sequence[int]) -> Begun:
        return reduce(self.follow, prompt, Begun())

    def follow(self, state: Begun, token: int) -> Begun:
        if state.words is None:
            return state
        words = self._runs.words_of_token(token)
        if words is None:
            return Begun(None) if state.words or token == self._unknown else state
        return Begun(reduce(extended, words, state.words))

    def is_line(self, state: Begun) -> bool:
        return state.words is not None and state.words > 0 and self._runs.has_line(state.words)


class _OfParts:
    """Tokens are characters or subwords: a word is known when a space follows it, or the text ends."""

    def __init__(self, runs: TrainingRuns) -> None:
        self._runs, self._tokenizer = runs, runs.tokenizer
        self._unknown = runs.tokenizer.special("unk")
        as_bytes = bytes_of if runs.tokenizer.kind == "bpe" else str.encode
        pieces = [as_bytes(runs.tokenizer.piece(token)) for token in range(len(runs.tokenizer))]
        self._after_words = frozenset(token for token, piece in enumerate(pieces) if piece[:1].isspace())

    def first(self, prompt: Sequence[int]) -> Begun:
        return reduce(self.follow, prompt, Begun())

    def follow(self, state: Begun, token: int) -> Begun:
        if state.words is None or token == self._unknown:
            return Begun(None)
        if token in self._after_words and state.rest:
            return Begun(self._words(state.words, state.rest), (token,))
        return Begun(state.words, (*state.rest, token))

    def is_line(self, state: Begun) -> bool:
        if state.words is None:
            return False
        words = self._words(state.words, state.rest)
        return words > 0 and self._runs.has_line(words)

    def _words(self, before: int, rest: Sequence[int]) -> int:
        """Return the polynomial of the words up to the last space and of those behind it."""
        return reduce(extended, map(self._runs.word, words_of(self._tokenizer.decode(rest))), before)


Lines = _OfWords | _OfParts
