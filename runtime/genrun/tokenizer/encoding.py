"""What a tokenizer makes of a text, and of a prompt that is given as token ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from genrun.checks.arguments import whole_number
from genrun.checks.short_text import shown
from genrun.errors import PromptError

if TYPE_CHECKING:
    from genrun.tokenizer.tokenizer import Tokenizer

__all__ = ["Encoding", "OpenEnd", "encoding_of_ids"]


class Encoding(NamedTuple):
    """A text as token ids, with its pieces and unknown words.

    ``ids``: the token ids, special tokens and those of labels included. ``pieces``: the normalized words (or
    characters) of the text, unknown ones too, marks with the U+2060 of the step ``mark_edges``; of subwords, the
    pieces that they are parts of. ``unknown``: the words that are not in the vocabulary, in order, as they are shown.
    """

    ids: tuple[int, ...]
    pieces: tuple[str, ...]
    unknown: tuple[str, ...]

    def after(self, ids: tuple[int, ...]) -> Encoding:
        """Return the encoding with ``ids`` before its own."""
        return self._replace(ids=ids + self.ids) if ids else self


class OpenEnd(NamedTuple):
    """A prompt in two parts: the ids ``finished``, and the ``open`` ids after them, which may become others."""

    finished: tuple[int, ...]
    open: tuple[int, ...] = ()


def encoding_of_ids(tokenizer: Tokenizer, ids: Sequence[int]) -> Encoding:
    """Return the encoding that has exactly ``ids``: a text with the same ids has the same continuation.

    The ids are all that the model is given: ``<start>`` is among them if it is wanted. Nothing of them is open, as
    the last word of a text in subwords is. Raises PromptError for no ids, and for ids outside the vocabulary.
    """
    if isinstance(ids, (str, bytes)) or not isinstance(ids, Sequence):
        raise PromptError(f"the ids of a prompt must be a list of whole numbers, not {shown(ids)}")
    numbers = []
    for token in ids:
        number = whole_number(token)
        if number is None or not 0 <= number < len(tokenizer):
            raise PromptError(f"a prompt's token id must be from 0 to {len(tokenizer) - 1:,}, not {shown(token)}")
        numbers.append(number)
    if not numbers:
        raise PromptError("a prompt of ids must have at least one id")
    pieces = () if tokenizer.kind == "bpe" else tuple(filter(None, map(tokenizer.piece_to_join, numbers)))
    return Encoding(tuple(numbers), pieces, ())
