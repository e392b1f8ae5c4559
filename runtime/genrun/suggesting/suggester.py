"""Suggestions: the likeliest next words of a text, or completions of its last word."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genrun.checks.arguments import check_prompt
from genrun.checks.short_text import shown
from genrun.errors import PromptError
from genrun.loading.generation_defaults import GenerationDefaults
from genrun.suggesting.typed_text import TypedTextReader
from genrun.tokenizer import Encoding, Tokenizer
from genrun.tokenizer.detokenizer import check_casing

__all__ = ["Suggester", "Suggestion", "likeliest"]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A possible next word of a text, or a possible completion of its unfinished word.

    ``text``: the word as it would be written there (a character, for a model of characters); empty for the end of the
    text. ``probability``: 0 to 1. ``id``: its token id. ``completes``: the part of the word that is already in the
    text, normalized; empty for a next word.
    """

    text: str
    probability: float
    id: int
    completes: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the suggestion as a JSON-ready dictionary."""
        return asdict(self)


class Suggester:
    """Makes suggestions from logits: reads typed texts, ranks words, and writes them.

    It never suggests special tokens other than the end, nor tokens that the model file suppresses. Immutable, and
    safe to share between threads.
    """

    def __init__(self, tokenizer: Tokenizer, defaults: GenerationDefaults) -> None:
        self._tokenizer = tokenizer
        self._casing = defaults.casing
        suppressed = set(defaults.suppressed_ids)
        words = [token for token in range(len(tokenizer.specials), len(tokenizer)) if token not in suppressed]
        self._end = tokenizer.special("end")
        may_end = [self._end] if self._end is not None and self._end not in suppressed else []
        self._next = np.array([*may_end, *words], np.int64)
        self._reader = TypedTextReader(tokenizer, words)

    def read(self, text: str) -> tuple[Encoding, str]:
        """Return the finished words of ``text``, encoded like a prompt, and the unfinished word (empty if none).

        Raises PromptError if ``text`` is not a ``str``, or gives no token to start from.
        """
        check_prompt(text, what="the input to suggest")
        typed = self._reader.read(text)
        encoding = self._tokenizer.encode_pieces(typed.pieces)
        start = self._tokenizer.special("start")
        if start is not None:
            return Encoding((start, *encoding.ids), encoding.pieces, encoding.unknown), typed.unfinished
        if encoding.ids:
            return encoding, typed.unfinished
        if encoding.unknown:
            raise PromptError(f"no finished word of the text {shown(text)} is in the model's vocabulary")
        raise PromptError(
            f"the text {shown(text)} has no finished word to go on from and this model has no <start>: "
            "give at least one word, and a space after it"
        )

    def casing(self, casing: str | None) -> str:
        """Return ``casing``, or the model's own for None; raises OptionError for an unknown one."""
        return check_casing(self._casing if casing is None else casing)

    def suggest(
        self, logits: NDArray[np.float32], before: Encoding, unfinished: str, n: int, *, end: bool, casing: str
    ) -> list[Suggestion]:
        """Return the ``n`` likeliest words after the words ``before``, the likeliest first.

        ``logits``: float32 ``[vocabulary]``, after the words ``before``. The probabilities are a softmax: without an
        ``unfinished`` word over all words and the end of the text (for any ``end``), otherwise over the words that
        begin with it. ``end``: also suggest the end of the text.
        """
        if unfinished:
            found = likeliest(logits, self._reader.candidates(unfinished), n)
        else:
            found = likeliest(logits, self._next, n + 1)
            found = [entry for entry in found if end or entry[0] != self._end][:n]
        written = self._tokenizer.detokenizer(casing)
        written.join(self._tokenizer.prompt_pieces(before, casing))
        spaced = self._tokenizer.kind == "word"
        suggestions: list[Suggestion] = []
        for token, probability in found:
            text = written.peek(self._tokenizer.piece_to_join(token, casing))
            suggestions.append(Suggestion(text.removeprefix(" ") if spaced else text, probability, token, unfinished))
        return suggestions


def likeliest(logits: NDArray[np.float32], among: NDArray[np.int64], n: int) -> list[tuple[int, float]]:
    """Return the ``n`` tokens with the highest logits and their probabilities, a softmax over the tokens ``among``.

    ``logits``: float32 ``[vocabulary]``; ``among``: int64 ``[tokens]``. The highest comes first, of equal ones that
    with the lower id. Tokens with a logit of minus infinity are left out.

    >>> likeliest(np.array([3.0, 1.0, 1.0], np.float32), np.array([1, 2]), n=1)
    [(1, 0.5)]
    """
    among = among[logits[among] > -np.inf]
    if not len(among):
        return []
    chosen = logits[among].astype(np.float64)  # [tokens]
    weights = np.exp(chosen - chosen.max())
    shares = weights / weights.sum()
    lowest = np.partition(chosen, -n)[-n] if n < len(among) else -np.inf
    best = np.flatnonzero(chosen >= lowest)  # n of them, or more if the last ones are equal
    best = best[np.lexsort((among[best], -chosen[best]))][:n]
    return [(int(among[i]), float(shares[i])) for i in best]
