"""The tokens of a model as constraints see them: words, marks, line breaks, and the letters of each."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from genrun.checks.short_text import shown
from genrun.errors import OptionError
from genrun.tokenizer import Tokenizer
from genrun.tokenizer.detokenizer import CONTRACTIONS
from genrun.tokenizer.marks import JOINER, without_joiners

__all__ = ["Lexicon", "Opening", "first_letter"]


@dataclass(frozen=True, slots=True)
class Opening:
    """The prompt, with which a text begins.

    ``tokens``: its tokens by their number in the lexicon. ``text``: as it is printed. ``spacing``: the
    :attr:`~genrun.tokenizer.detokenizer.Detokenizer.spacing` after it.
    """

    tokens: tuple[int, ...]
    text: str
    spacing: Hashable


class Lexicon:
    """The tokens of a vocabulary, and behind them ``unknown`` words of a prompt, which are never generated.

    All arrays are bool ``[tokens]``. ``words``: tokens with a letter or digit; those that belong to the word before,
    such as ``'s``, are ``attached`` instead. ``breaks``: tokens that end a line. ``marks``: all others, special
    tokens included.
    ``usable``: tokens that may be generated within a text; those with an id in ``end_ids``, which end it, and in
    ``suppressed_ids`` are not. ``pieces`` and ``texts`` are the tokens as they are joined and as they are printed.

    >>> tokenizer = Tokenizer(kind="word", vocabulary=["<end>", "The", "the", "sea", ","], specials=["end"])
    >>> lexicon = Lexicon(tokenizer, end_ids=(0,))
    >>> [mask.nonzero()[0].tolist() for mask in lexicon.phrase("The sea")]
    [[1, 2], [3]]
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        *,
        casing: str = "none",
        end_ids: Collection[int] = (),
        suppressed_ids: Collection[int] = (),
        unknown: Sequence[str] = (),
    ) -> None:
        self.tokenizer, self.casing = tokenizer, casing
        self.pieces = (*(tokenizer.piece_to_join(token) for token in range(len(tokenizer))), *unknown)
        self.texts = tuple(map(without_joiners, self.pieces))
        self.has_end = bool(end_ids)
        self.usable = np.ones(len(self.texts), np.bool_)
        self.usable[[*end_ids, *suppressed_ids]] = False
        self.usable[len(tokenizer) :] = False
        lettered = np.array([any(letter.isalnum() for letter in text) for text in self.texts], np.bool_)
        joined = [piece in CONTRACTIONS or piece.startswith(JOINER) for piece in self.pieces]
        self.attached = lettered & np.array(joined, np.bool_)
        self.words = lettered & ~self.attached
        self.breaks = np.array([bool(text) and not text.strip("\n") for text in self.texts], np.bool_)
        self.marks = ~lettered & ~self.breaks

    def __len__(self) -> int:
        return len(self.texts)

    def need_words(self) -> None:
        """Raise OptionError for a model whose tokens are not words."""
        if self.tokenizer.kind != "word":
            kind = "subwords" if self.tokenizer.kind == "bpe" else "characters"
            raise OptionError(f"this needs a model whose tokens are words; this one has {kind}")

    def need_breaks(self) -> None:
        """Raise OptionError for a model that writes no line breaks."""
        self.need_words()
        if not (self.breaks & self.usable).any():
            raise OptionError(
                "the model writes no line breaks, so its texts have one line (train it with --set line_breaks=true)"
            )

    def phrase(self, text: str) -> list[NDArray[np.bool_]]:
        """Return for each token of a phrase which tokens of the lexicon count as it; case makes no difference.

        Raises OptionError for an empty phrase, and for a word that the lexicon does not have.
        """
        found = []
        for piece in self.tokenizer.split(text):
            word = _key(piece)
            ids = self._keys.get(word, []) if word else self._marks.get(without_joiners(piece), [])
            if not ids:
                raise OptionError(f"{shown(without_joiners(piece))} is not in the model's vocabulary")
            found.append(self.mask(ids))
        if not found:
            raise OptionError(f"there is no word in {shown(text)}")
        return found

    def mask(self, ids: Sequence[int]) -> NDArray[np.bool_]:
        """Return bool ``[tokens]``, true for ``ids``."""
        mask = np.zeros(len(self), np.bool_)
        mask[ids] = True
        return mask

    def opening(self, pieces: Sequence[str], text: str, spacing: Hashable) -> Opening:
        """Return a prompt with these ``pieces``, each of which is a piece of the vocabulary or an unknown one."""
        return Opening(tuple([self._numbers[piece] for piece in pieces]), text, spacing)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        start = len(self.tokenizer)
        return {
            **{piece: number for number, piece in enumerate(self.pieces[start:], start)},
            **{piece: number for number, piece in enumerate(self.tokenizer.vocabulary)},
        }

    @cached_property
    def _keys(self) -> dict[str, list[int]]:
        found = defaultdict(list)
        for number, text in enumerate(self.texts):
            if key := _key(text):
                found[key].append(number)
        return dict(found)

    @cached_property
    def _marks(self) -> dict[str, list[int]]:
        found = defaultdict(list)
        for number in self.marks.nonzero()[0].tolist():
            found[self.texts[number]].append(number)
        return dict(found)


def first_letter(text: str) -> str:
    """Return the first letter or digit of ``text`` without case and accents; empty if it has none.

    >>> first_letter("“École"), first_letter("…")
    ('e', '')
    """
    found = next((letter for letter in text if letter.isalnum()), "")
    return unicodedata.normalize("NFD", found.casefold())[:1]


def _key(text: str) -> str:
    """Return what makes two tokens the same word: the letters without case and without marks around them."""
    start, end = 0, len(text)
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and not text[end - 1].isalnum():
        end -= 1
    return text[start:end].casefold()
