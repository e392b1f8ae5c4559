"""Suggestions of a model of subwords: the last word of a text may be open, so each completes it or goes on."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from genrun.checks.arguments import check_prompt
from genrun.errors import PromptError
from genrun.loading.generation_defaults import GenerationDefaults
from genrun.suggesting.suggester import Suggester, Suggestion, likeliest
from genrun.tokenizer import Encoding, Tokenizer
from genrun.tokenizer.subwords.byte_letters import bytes_of, letters_of
from genrun.tokenizer.subwords.open_end import OpenEndFinder
from genrun.tokenizer.subwords.pieces import open_piece

__all__ = ["SubwordSuggester"]


class SubwordSuggester(Suggester):
    """Suggests subwords; ``subwords`` finds those that begin with letters of bytes.

    A suggestion is a whole word if the vocabulary has it in one, and otherwise its next part. Subwords that end
    within a character are not suggested.
    """

    def __init__(self, tokenizer: Tokenizer, defaults: GenerationDefaults, subwords: OpenEndFinder) -> None:
        super().__init__(tokenizer, defaults)
        self._subwords = subwords

    def read(self, text: str) -> tuple[Encoding, str]:
        """Return ``text`` encoded without its open end, and the letters of its last word, finished or not.

        The pieces of the encoding are those before that word, in letters of bytes.
        Raises PromptError if ``text`` is not a ``str``, or gives no token to start from.
        """
        check_prompt(text, what="the input to suggest")
        pieces = self._tokenizer.split(self._tokenizer.without_start(text))
        start = self._tokenizer.special("start")
        head = () if start is None else (start,)
        if not pieces:
            if start is None:
                raise PromptError("the text is empty and this model has no <start>: give at least one word")
            return Encoding(head, (), ()), ""
        before, last = open_piece(pieces)
        ids, opened = self._subwords.find(head, pieces)
        if not opened and last[-1].isalnum() and len(ids) > 1:
            ids = ids[:-1]  # a word is open until something follows it, as other kinds have it
        return Encoding(ids, tuple(letters_of(piece.encode()) for piece in before), ()), letters_of(last.encode())

    def suggest(
        self, logits: NDArray[np.float32], before: Encoding, unfinished: str, n: int, *, end: bool, casing: str
    ) -> list[Suggestion]:
        """Return the ``n`` likeliest subwords after the ids of ``before``, the likeliest first.

        ``unfinished``: the last word, of which the ids have the beginning. The probabilities are a softmax: over the
        subwords that begin with the rest of it, or over all and the end of the text, where there is no rest.
        """
        vocabulary, first = self._tokenizer.vocabulary, len(self._tokenizer.specials)
        written = self._tokenizer.detokenizer(casing)
        written.join(before.pieces)
        fed = "".join([vocabulary[token] for token in before.ids if token >= first])
        head = fed[sum(map(len, before.pieces)) :]
        rest = unfinished[len(head) :]
        if rest:
            among = self._subwords.beginning_with(rest)
            whole = (
                np.array([_is_utf8(bytes_of(head + vocabulary[i])) for i in among], bool)
                if head
                else self._whole[among]
            )
            found = likeliest(logits, among[whole], n)
        else:
            found = likeliest(logits, self._next[self._whole[self._next]], n + 1)
            found = [entry for entry in found if end or entry[0] != self._end][:n]
        typed = bytes_of(unfinished).decode().removeprefix(" ") if rest else ""
        if not rest:
            written.push(head)
            head = ""
        suggestions: list[Suggestion] = []
        for token, probability in found:
            text = written.peek(head + self._tokenizer.piece(token))
            suggestions.append(Suggestion(text.removeprefix(" "), probability, token, typed))
        return suggestions

    @cached_property
    def _whole(self) -> NDArray[np.bool_]:
        """Whether each token is whole characters, bool ``[vocabulary]``."""
        first = len(self._tokenizer.specials)
        count = len(self._tokenizer) - len(self._tokenizer.labels.tokens)  # labels come last, and are no text
        letters = self._tokenizer.vocabulary[first:count]
        labels = [False] * (len(self._tokenizer) - count)
        return np.array([*[True] * first, *(_is_utf8(bytes_of(each)) for each in letters), *labels])


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
